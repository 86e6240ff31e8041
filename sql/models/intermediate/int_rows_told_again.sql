with

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
    where withdrawn_at is null
),

price_periods as (
    select * from {{ ref('stg_mithril__instance_price_periods') }}
    where withdrawn_at is null
),

loaded_days as (
    select * from {{ ref('int_loaded_days') }}
),

-- That a row is not before its day, nor the first of them, follows from its day; said, it spares an engine all before.
final as (
    select
        status_events.project_id,
        status_events.instance_id,
        status_events.bid_id,
        status_events.reservation_id,
        loaded_days.told_on,
        status_events.occurred_at as told_of_at,
        status_events.occurred_at as event_at,
        {{ digest('status_events.occurred_at, status_events.status') }} as digest
    from status_events
    inner join loaded_days
        on status_events.instance_id = loaded_days.instance_id
        and cast(status_events.occurred_at as date) = loaded_days.told_on
        and status_events.occurred_at >= cast(loaded_days.told_on as {{ timestamp() }})
    where status_events.occurred_at >= {{ first_loaded_day() }}
    union all
    select
        price_periods.project_id,
        price_periods.instance_id,
        price_periods.bid_id,
        price_periods.reservation_id,
        loaded_days.told_on,
        price_periods.starts_at as told_of_at,
        cast(null as {{ timestamp() }}) as event_at,
        {{ digest('price_periods.starts_at, price_periods.ends_at, price_periods.price_cents') }} as digest
    from price_periods
    inner join loaded_days
        on price_periods.instance_id = loaded_days.instance_id
        and cast(price_periods.starts_at as date) = loaded_days.told_on
        and price_periods.starts_at >= cast(loaded_days.told_on as {{ timestamp() }})
    where price_periods.starts_at >= {{ first_loaded_day() }}
)

select * from final
