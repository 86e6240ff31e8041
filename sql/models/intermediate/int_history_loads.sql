{{ config(materialized='table') }}

with

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
),

price_periods as (
    select * from {{ ref('stg_mithril__instance_price_periods') }}
),

loads as (
    select
        'status' as history,
        load_id,
        true as is_held
    from status_events
    group by load_id
    union all
    select
        'pricing' as history,
        load_id,
        true as is_held
    from price_periods
    group by load_id
),

earlier as (
    {{ built_before('loads') }}
),

final as (
    select
        loads.*,
        earlier.load_id is null as is_new
    from loads
    left join earlier
        on loads.history = earlier.history
        and loads.load_id = earlier.load_id
)

select * from final
