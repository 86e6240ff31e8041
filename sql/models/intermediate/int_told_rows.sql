with

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
    where withdrawn_at is null
),

price_periods as (
    select * from {{ ref('stg_mithril__instance_price_periods') }}
    where withdrawn_at is null
),

final as (
    select
        project_id,
        instance_id,
        bid_id,
        reservation_id,
        cast(occurred_at as date) as told_on,
        occurred_at as told_of_at,
        occurred_at as event_at,
        {{ digest('occurred_at, status') }} as digest
    from status_events
    union all
    select
        project_id,
        instance_id,
        bid_id,
        reservation_id,
        cast(starts_at as date) as told_on,
        starts_at as told_of_at,
        cast(null as timestamp) as event_at,
        {{ digest('starts_at, ends_at, price_cents') }} as digest
    from price_periods
)

select * from final
