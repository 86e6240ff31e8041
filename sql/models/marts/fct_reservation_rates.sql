with

reservations as (
    select * from {{ ref('int_reservations') }}
),

rate_periods as (
    select * from {{ ref('int_rate_periods') }}
),

final as (
    select
        {{ span_key("reservations.reservation_id || '#' || rate_periods.rate_kind", 'rate_periods.from_at') }}
            as rate_period_id,
        reservations.reservation_id,
        reservations.project_id,
        rate_periods.rate_kind,
        rate_periods.from_at,
        rate_periods.to_at,
        rate_periods.rate_cents,
        {{ usd(wide('rate_periods.rate_cents') ~ ' * 3600000000') }} as rate_usd_per_hour,
        coalesce(
            rate_periods.from_at <= reservations.as_of and reservations.as_of < rate_periods.to_at, false
        ) as is_in_force
    from rate_periods
    inner join reservations on rate_periods.reservation_id = reservations.reservation_id
)

select * from final
