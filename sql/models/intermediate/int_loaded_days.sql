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

final as (
    select
        status_events.instance_id,
        cast(status_events.occurred_at as date) as told_on
    from status_events
    inner join history_loads
        on status_events.load_id = history_loads.load_id
        and history_loads.history = 'status'
    union distinct
    select
        price_periods.instance_id,
        cast(price_periods.starts_at as date) as told_on
    from price_periods
    inner join history_loads
        on price_periods.load_id = history_loads.load_id
        and history_loads.history = 'pricing'
)

select * from final
