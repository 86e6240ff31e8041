{{ config(materialized='table') }}

with

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
),

price_periods as (
    select * from {{ ref('stg_mithril__instance_price_periods') }}
),

history_loads as (
    select * from {{ ref('int_history_loads') }}
    where is_new
),

-- That a row's load is not before the first new one follows from its load; said, it spares an engine all other blocks.
final as (
    select
        status_events.instance_id,
        cast(status_events.occurred_at as date) as told_on
    from status_events
    inner join history_loads
        on status_events.load_id = history_loads.load_id
        and history_loads.history = 'status'
    where status_events.load_id >= {{ first_new_load() }}
    union distinct
    select
        price_periods.instance_id,
        cast(price_periods.starts_at as date) as told_on
    from price_periods
    inner join history_loads
        on price_periods.load_id = history_loads.load_id
        and history_loads.history = 'pricing'
    where price_periods.load_id >= {{ first_new_load() }}
)

select * from final
