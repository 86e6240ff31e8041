{{ config(materialized='table') }}

with

market_prices as (
    select * from {{ ref('stg_mithril__market_prices') }}
),

last_instants as (
    select max(as_of) as as_of from {{ ref('int_projects') }}
),

-- A price counts from the first full hour on that begins with it.
whole_prices as (
    select
        market_prices.instance_type_id,
        market_prices.region,
        market_prices.priced_at,
        case
            when market_prices.priced_at = {{ hour_of('market_prices.priced_at') }} then market_prices.priced_at
            else {{ next_hour(hour_of('market_prices.priced_at')) }}
        end as from_at,
        last_instants.as_of
    from market_prices
    cross join last_instants
),

-- Of those that begin with one hour the last one holds, also where it says that none is known.
last_prices as (
    select
        instance_type_id,
        region,
        from_at,
        as_of,
        max(priced_at) as priced_at
    from whole_prices
    where from_at < as_of
    group by instance_type_id, region, from_at, as_of
),

periods as (
    select
        last_prices.instance_type_id,
        last_prices.region,
        last_prices.from_at,
        lead(last_prices.from_at, 1, last_prices.as_of) over (
            partition by last_prices.instance_type_id, last_prices.region order by last_prices.from_at
        ) as to_at,
        {{ nano_usd('market_prices.reserved_price_usd') }} as reserved_price_nano_usd,
        {{ nano_usd('market_prices.spot_price_usd') }} as spot_price_nano_usd
    from last_prices
    inner join market_prices
        on last_prices.instance_type_id = market_prices.instance_type_id
        and last_prices.region = market_prices.region
        and last_prices.priced_at = market_prices.priced_at
),

known_periods as (
    select * from periods
    where reserved_price_nano_usd is not null or spot_price_nano_usd is not null
),

touched_hours as (
    select
        known_periods.instance_type_id,
        known_periods.region,
        {{ each_hour('known_periods.from_at', 'known_periods.to_at') }} as hour_at,
        known_periods.reserved_price_nano_usd,
        known_periods.spot_price_nano_usd
    from known_periods
    {{ from_each_hour('known_periods.from_at', 'known_periods.to_at') }}
),

final as (
    select
        instance_type_id,
        region,
        hour_at,
        reserved_price_nano_usd,
        spot_price_nano_usd
    from touched_hours
)

select * from final
