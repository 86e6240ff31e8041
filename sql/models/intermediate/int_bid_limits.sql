{{ config(materialized='table') }}

with

spot_bids as (
    select * from {{ ref('stg_mithril__spot_bids') }}
),

numbered_versions as (
    select
        spot_bids.bid_id,
        spot_bids.read_at,
        {{ nano_usd('spot_bids.limit_price_usd') }} as limit_nano_usd,
        {{ version_number('spot_bids.bid_id') }} as version_number
    from spot_bids
),

-- What was read first was so before as well, as far as anybody knows.
dated_versions as (
    select
        *,
        case when version_number = 1 or read_at is null then {{ since_ever() }} else read_at end as from_at
    from numbered_versions
),

periods as (
    select
        bid_id,
        from_at,
        lead(from_at, 1, cast('9999-12-31' as {{ timestamp() }})) over (
            partition by bid_id order by version_number
        ) as to_at,
        limit_nano_usd
    from dated_versions
),

final as (
    select
        bid_id,
        from_at,
        to_at,
        limit_nano_usd,
        -- Whole cents, since prices are: above 90 % of the limit is what is above this.
        {{ whole_quotient('limit_nano_usd * 9', 100000000) }} as near_limit_cents
    from periods
    where from_at < to_at
)

select * from final
