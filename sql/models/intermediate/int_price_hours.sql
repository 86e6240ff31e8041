with

price_periods as (
    select * from {{ ref('int_price_periods') }}
),

touched_hours as (
    select
        *,
        {{ each_hour('starts_at', 'ends_at') }} as hour_at
    from price_periods
),

final as (
    select
        instance_id,
        hour_at,
        price_cents,
        greatest(starts_at, hour_at) as from_at,
        least(ends_at, {{ next_hour('hour_at') }}) as to_at
    from touched_hours
)

select * from final
