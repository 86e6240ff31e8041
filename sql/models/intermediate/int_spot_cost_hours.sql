with

spell_hours as (
    select * from {{ ref('int_spell_hours') }}
    where is_billed
),

price_hours as (
    select * from {{ ref('int_price_hours') }}
),

-- Both sides are cut at the hours already, so equality on the hour keeps each comparison to a handful of rows.
priced_spans as (
    select
        spell_hours.instance_id,
        spell_hours.hour_at,
        price_hours.price_cents,
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
),

final as (
    select
        instance_id,
        hour_at,
        cast(sum(priced_us) as bigint) as priced_us,
        sum({{ cent_us('price_cents', 'priced_us') }}) as spot_cost_cent_us
    from priced_spans
    group by instance_id, hour_at
)

select * from final
