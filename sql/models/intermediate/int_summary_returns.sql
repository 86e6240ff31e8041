with

terminations as (
    select * from {{ ref('int_summary_changes') }}
    where status = 'TERMINATED'
),

windows as (
    select * from {{ ref('int_reservation_windows') }}
),

rate_periods as (
    select * from {{ ref('int_rate_periods') }}
    where rate_kind = 'return_credit'
),

returns as (
    select
        terminations.reservation_id,
        terminations.instance_id,
        terminations.started_at as returned_at,
        {{ us_between(
            'greatest(terminations.started_at, coalesce(windows.starts_at, terminations.started_at))',
            'windows.ends_at'
        ) }} as hours_left_us
    from terminations
    inner join windows
        on terminations.reservation_id = windows.reservation_id
        and terminations.known_at = windows.known_at
    where terminations.started_at < windows.ends_at
),

final as (
    select
        returns.reservation_id,
        returns.instance_id,
        returns.returned_at,
        returns.hours_left_us,
        {{ cent_us('rate_periods.rate_cents', 'returns.hours_left_us') }} as return_credit_cent_us
    from returns
    inner join rate_periods
        on returns.reservation_id = rate_periods.reservation_id
        and returns.returned_at >= rate_periods.from_at
        and returns.returned_at < rate_periods.to_at
)

select * from final
