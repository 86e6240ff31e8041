with

spell_hours as (
    select * from {{ ref('int_spell_hours') }}
    where is_billed
),

price_hours as (
    select * from {{ ref('int_price_hours') }}
),

instances as (
    select * from {{ ref('int_instances') }}
),

bid_limits as (
    select * from {{ ref('int_bid_limits') }}
),

instance_limits as (
    select
        instances.instance_id,
        bid_limits.from_at,
        bid_limits.to_at,
        bid_limits.near_limit_cents
    from instances
    inner join bid_limits on instances.bid_id = bid_limits.bid_id
),

-- Both sides are cut at the hours already, so equality on the hour keeps each comparison to a handful of rows.
priced_spans as (
    select
        spell_hours.instance_id,
        spell_hours.hour_at,
        price_hours.price_cents,
        instance_limits.near_limit_cents,
        {{ us_between(
            'greatest(spell_hours.from_at, price_hours.from_at)',
            'least(spell_hours.to_at, price_hours.to_at)'
        ) }} as priced_us
    from spell_hours
    inner join price_hours
        on spell_hours.instance_id = price_hours.instance_id
        and spell_hours.hour_at = price_hours.hour_at
        and spell_hours.from_at < price_hours.to_at
        and spell_hours.to_at > price_hours.from_at
    left join instance_limits
        on spell_hours.instance_id = instance_limits.instance_id
        and spell_hours.hour_at >= instance_limits.from_at
        and spell_hours.hour_at < instance_limits.to_at
),

final as (
    select
        instance_id,
        hour_at,
        cast(sum(priced_us) as bigint) as priced_us,
        sum({{ cent_us('price_cents', 'priced_us') }}) as spot_cost_cent_us,
        case
            when count(near_limit_cents) = count(*)
                then cast(sum(case when price_cents > near_limit_cents then priced_us else 0 end) as bigint)
        end as near_limit_us
    from priced_spans
    group by instance_id, hour_at
)

select * from final
