{{ config(materialized='view') }}

with

market_hours as (
    select * from {{ relocatable(ref('int_market_hours')) }}
),

spot_instances as (
    select * from {{ relocatable(ref('dim_instances')) }}
    where bid_id is not null
),

instance_hours as (
    select * from {{ relocatable(ref('fct_instance_hours')) }}
    where up_us > 0
),

preemptions as (
    select * from {{ relocatable(ref('fct_interruptions')) }}
    where to_status = 'PREEMPTED'
),

pieces as (
    select
        instance_type_id,
        region,
        hour_at,
        spot_price_nano_usd,
        reserved_price_nano_usd,
        0 as spot_up_us,
        0 as preemptions,
        0 as preempted_starts
    from market_hours
    union all
    select
        spot_instances.instance_type_id,
        spot_instances.region,
        instance_hours.hour_at,
        cast(null as bigint) as spot_price_nano_usd,
        cast(null as bigint) as reserved_price_nano_usd,
        instance_hours.up_us as spot_up_us,
        0 as preemptions,
        0 as preempted_starts
    from instance_hours
    inner join spot_instances on instance_hours.instance_id = spot_instances.instance_id
    union all
    select
        spot_instances.instance_type_id,
        spot_instances.region,
        preemptions.hour_at,
        cast(null as bigint) as spot_price_nano_usd,
        cast(null as bigint) as reserved_price_nano_usd,
        0 as spot_up_us,
        case when preemptions.left_up then 1 else 0 end as preemptions,
        case when preemptions.left_up then 0 else 1 end as preempted_starts
    from preemptions
    inner join spot_instances on preemptions.instance_id = spot_instances.instance_id
),

hours as (
    select
        instance_type_id,
        region,
        hour_at,
        max(spot_price_nano_usd) as spot_price_nano_usd,
        max(reserved_price_nano_usd) as reserved_price_nano_usd,
        sum(spot_up_us) as spot_up_us,
        sum(preemptions) as preemptions,
        sum(preempted_starts) as preempted_starts
    from pieces
    group by instance_type_id, region, hour_at
),

final as (
    select
        instance_type_id,
        region,
        hour_at,
        {{ report_day('hour_at') }} as day,
        {{ report_month('hour_at') }} as month,
        {{ usd_of_nano('spot_price_nano_usd') }} as spot_price_usd,
        {{ usd_of_nano('reserved_price_nano_usd') }} as reserved_price_usd,
        cast(spot_up_us as bigint) as spot_up_us,
        cast(preemptions as bigint) as preemptions,
        cast(preempted_starts as bigint) as preempted_starts
    from hours
)

select * from final
