{{ config(materialized='view') }}

with

instance_hours as (
    select * from {{ relocatable(ref('fct_instance_hours')) }}
    where billed_us > 0
),

instances as (
    select * from {{ relocatable(ref('dim_instances')) }}
),

market_hours as (
    select * from {{ relocatable(ref('int_market_hours')) }}
),

bid_limits as (
    select * from {{ relocatable(ref('int_bid_limits')) }}
),

instance_limits as (
    select
        instances.instance_id,
        bid_limits.from_at,
        bid_limits.to_at,
        bid_limits.limit_nano_usd
    from instances
    inner join bid_limits on instances.bid_id = bid_limits.bid_id
),

compared_hours as (
    select
        instance_hours.*,
        instances.bid_id,
        instances.instance_type_id,
        instances.region,
        market_hours.reserved_price_nano_usd,
        instance_limits.limit_nano_usd,
        {{ cent_us_at('market_hours.reserved_price_nano_usd', 'instance_hours.priced_us') }} as market_cent_us,
        {{ cent_us_at('instance_limits.limit_nano_usd', 'instance_hours.priced_us') }} as limit_cent_us
    from instance_hours
    inner join instances on instance_hours.instance_id = instances.instance_id
    left join market_hours
        on instances.instance_type_id = market_hours.instance_type_id
        and instances.region = market_hours.region
        and instance_hours.hour_at = market_hours.hour_at
    left join instance_limits
        on instance_hours.instance_id = instance_limits.instance_id
        and instance_hours.hour_at >= instance_limits.from_at
        and instance_hours.hour_at < instance_limits.to_at
),

final as (
    select
        instance_hour_id as spot_hour_id,
        instance_id,
        project_id,
        bid_id,
        instance_type_id,
        region,
        hour_at,
        day,
        month,
        billed_us,
        priced_us,
        unpriced_us,
        spot_cost_cent_us,
        {{ usd_of_nano('reserved_price_nano_usd') }} as reserved_price_usd,
        case when reserved_price_nano_usd is null then 0 else priced_us end as compared_us,
        case when reserved_price_nano_usd is null then priced_us else 0 end as uncompared_us,
        case
            when priced_us = 0 then 0
            when reserved_price_nano_usd is not null then spot_cost_cent_us
        end as compared_cost_cent_us,
        case when priced_us = 0 then 0 else market_cent_us end as reserved_market_cost_cent_us,
        {{ usd_of_nano('limit_nano_usd') }} as limit_price_usd,
        case when limit_nano_usd is null then priced_us else 0 end as unlimited_us,
        case when priced_us = 0 then 0 when limit_nano_usd is not null then spot_cost_cent_us end
            as limited_cost_cent_us,
        case when priced_us = 0 then 0 else limit_cent_us end as limit_cost_cent_us,
        near_limit_us
    from compared_hours
)

select * from final
