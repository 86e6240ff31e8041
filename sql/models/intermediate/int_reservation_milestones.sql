with

reservation_events as (
    select * from {{ ref('stg_mithril__reservation_events') }}
),

projects as (
    select * from {{ ref('int_projects') }}
),

marked_events as (
    select
        reservation_events.reservation_id,
        reservation_events.project_id,
        reservation_events.occurred_at,
        reservation_events.event_type,
        reservation_events.event_type in ('Canceled', 'Ended')
        and reservation_events.occurred_at <= projects.as_of as is_cut,
        coalesce(
            reservation_events.unit_price_cents,
            reservation_events.pause_credit_cents,
            reservation_events.return_credit_cents
        ) is not null as is_priced
    from reservation_events
    left join projects on reservation_events.project_id = projects.project_id
),

final as (
    select
        reservation_id,
        max(project_id) as project_id,
        min(occurred_at) as first_event_at,
        min(case when event_type = 'Placed' then occurred_at end) as placed_at,
        min(case when event_type = 'Active' then occurred_at end) as active_at,
        min(case when is_cut then occurred_at end) as cut_at,
        max(case when is_priced then 1 else 0 end) = 1 as is_priced
    from marked_events
    group by reservation_id
)

select * from final
