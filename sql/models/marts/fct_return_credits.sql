with

status_changes as (
    select * from {{ ref('int_status_changes') }}
    where status = 'TERMINATED' and is_open
),

reservations as (
    select * from {{ ref('int_reservations') }}
),

return_rates as (
    select * from {{ ref('int_rate_periods') }}
    where rate_kind = 'return_credit'
),

returns as (
    select
        status_changes.instance_id,
        status_changes.reservation_id,
        status_changes.project_id,
        status_changes.started_at as returned_at,
        {{ us_between(
            'greatest(status_changes.started_at, coalesce(reservations.starts_at, status_changes.started_at))',
            'reservations.ends_at'
        ) }} as hours_left_us
    from status_changes
    inner join reservations on status_changes.reservation_id = reservations.reservation_id
    where status_changes.started_at < reservations.ends_at
),

rated_returns as (
    select
        returns.*,
        return_rates.rate_cents as return_rate_cents,
        {{ cent_us('return_rates.rate_cents', 'returns.hours_left_us') }} as return_credit_cent_us
    from returns
    inner join return_rates
        on returns.reservation_id = return_rates.reservation_id
        and returns.returned_at >= return_rates.from_at
        and returns.returned_at < return_rates.to_at
),

final as (
    select
        instance_id,
        reservation_id,
        project_id,
        returned_at,
        hours_left_us,
        {{ hours('hours_left_us') }} as left_hours,
        return_credit_cent_us,
        {{ usd('return_credit_cent_us') }} as return_credit_usd,
        {{ hour_of('returned_at') }} as hour_at,
        {{ report_day('returned_at') }} as day,
        {{ report_month('returned_at') }} as month,
        return_rate_cents
    from rated_returns
)

select * from final
