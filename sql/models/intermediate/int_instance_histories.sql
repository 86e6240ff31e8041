with

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
),

price_periods as (
    select * from {{ ref('stg_mithril__instance_price_periods') }}
),

projects as (
    select * from {{ ref('int_projects') }}
),

histories as (
    select
        instance_id,
        project_id,
        bid_id,
        reservation_id,
        occurred_at
    from status_events
    union all
    select
        instance_id,
        project_id,
        bid_id,
        reservation_id,
        cast(null as timestamp) as occurred_at
    from price_periods
),

final as (
    select
        histories.instance_id,
        max(histories.project_id) as project_id,
        max(histories.bid_id) as bid_id,
        max(histories.reservation_id) as reservation_id,
        min(case when histories.occurred_at <= projects.as_of then histories.occurred_at end) as first_event_at,
        max(case when histories.occurred_at <= projects.as_of then histories.occurred_at end) as last_event_at
    from histories
    left join projects on histories.project_id = projects.project_id
    group by histories.instance_id
)

select * from final
