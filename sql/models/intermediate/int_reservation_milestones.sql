with

known_events as (
    select * from {{ ref('int_reservation_events') }}
    where is_known
),

marked_events as (
    select
        reservation_id,
        project_id,
        occurred_at,
        event_type,
        coalesce(unit_price_cents, pause_credit_cents, return_credit_cents) is not null as is_priced
    from known_events
),

final as (
    select
        reservation_id,
        max(project_id) as project_id,
        min(occurred_at) as first_event_at,
        min(case when event_type = 'Placed' then occurred_at end) as placed_at,
        min(case when event_type = 'Active' then occurred_at end) as active_at,
        min(case when event_type in ('Canceled', 'Ended') then occurred_at end) as cut_at,
        max(case when is_priced then 1 else 0 end) = 1 as is_priced
    from marked_events
    group by reservation_id
)

select * from final
