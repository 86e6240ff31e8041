with

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
    where withdrawn_at is null
),

price_periods as (
    select * from {{ ref('stg_mithril__instance_price_periods') }}
    where withdrawn_at is null
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
        occurred_at,
        occurred_at as told_of_at
    from status_events
    union all
    select
        instance_id,
        project_id,
        bid_id,
        reservation_id,
        cast(null as {{ timestamp() }}) as occurred_at,
        starts_at as told_of_at
    from price_periods
),

known_histories as (
    select
        histories.*,
        coalesce(histories.told_of_at < projects.as_of, false) as is_known
    from histories
    left join projects on histories.project_id = projects.project_id
),

final as (
    select
        instance_id,
        max(project_id) as project_id,
        max(case when is_known then bid_id end) as bid_id,
        max(case when is_known then reservation_id end) as reservation_id,
        min(case when is_known then occurred_at end) as first_event_at,
        min(case when is_known then told_of_at end) as first_told_at
    from known_histories
    group by instance_id
)

select * from final
