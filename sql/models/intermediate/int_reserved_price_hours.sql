{{ config(materialized='table') }}

with

market_prices as (
    select * from {{ ref('stg_mithril__market_prices') }}
    where reserved_price_usd is not null
),

projects as (
    select max(as_of) as as_of from {{ ref('int_projects') }}
),

readings as (
    select
        market_prices.*,
        projects.as_of,
        row_number() over (
            partition by market_prices.instance_type_id, market_prices.region, market_prices.priced_at
            order by market_prices.read_at desc, {{ load_number('market_prices.load_id') }} desc
        ) as reading_rank
    from market_prices
    cross join projects
),

periods as (
    select
        instance_type_id,
        region,
        priced_at as from_at,
        lead(priced_at, 1, as_of) over (partition by instance_type_id, region order by priced_at) as to_at,
        cast(reserved_price_usd * 1000000000 as bigint) as reserved_nanos
    from readings
    where reading_rank = 1 and priced_at < as_of
),

touched_hours as (
    select
        *,
        {{ each_hour('from_at', 'to_at') }} as hour_at
    from periods
    {{ from_each_hour('from_at', 'to_at') }}
),

final as (
    select
        instance_type_id,
        region,
        hour_at,
        reserved_nanos
    from touched_hours
    where hour_at >= from_at
)

select * from final
