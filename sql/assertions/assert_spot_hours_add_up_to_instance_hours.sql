-- All billed time and spot cost is in the hours compared with the market, once; what is compared and what is not is all
-- that was priced, and no more of it is near the limit.
with

spot_hours as (
    select
        1 as side,
        spot_hours.*
    from {{ ref('fct_spot_hours') }} as spot_hours
    where {{ since_first_change('spot_hours.hour_at') }}
),

sides as (
    select
        side,
        billed_us,
        priced_us,
        spot_cost_cent_us
    from spot_hours
    union all
    select
        -1 as side,
        billed_us,
        priced_us,
        spot_cost_cent_us
    from {{ ref('fct_instance_hours') }}
    where {{ since_first_change('hour_at') }}
),

strange as (
    select count(*) as strange_rows
    from spot_hours
    where
        compared_us + uncompared_us <> priced_us
        or near_limit_us > priced_us
        or compared_cost_cent_us <> spot_cost_cent_us
        or reserved_market_cost_cent_us < 0
        or (near_limit_us is null) <> (priced_us > 0 and limit_price_usd is null)
)

select
    sum(sides.side * sides.billed_us) as billed_us,
    sum(sides.side * sides.priced_us) as priced_us,
    sum(sides.side * sides.spot_cost_cent_us) as spot_cost_cent_us,
    max(strange.strange_rows) as strange_rows
from sides
cross join strange
having
    sum(sides.side * sides.billed_us) <> 0
    or sum(sides.side * sides.priced_us) <> 0
    or sum(sides.side * sides.spot_cost_cent_us) <> 0
    or max(strange.strange_rows) > 0
