{{ config(materialized='table') }}

with

pauses as (
    select * from {{ ref('int_summary_changes') }}
    where status = 'PAUSED'
),

windows as (
    select * from {{ ref('int_reservation_windows') }}
    where has_terms
),

readings as (
    select * from {{ ref('int_pause_clocks') }}
),

reserved_pauses as (
    select
        pauses.*,
        coalesce(windows.starts_at, pauses.from_stopping_at) as window_starts_at,
        coalesce(windows.ends_at, pauses.until_running_at) as window_ends_at
    from pauses
    inner join windows
        on pauses.reservation_id = windows.reservation_id
        and pauses.known_at = windows.known_at
),

stretches as (
    select
        reserved_pauses.reservation_id,
        reserved_pauses.instance_id,
        reserved_pauses.started_at as paused_at,
        readings.reading,
        readings.least_us,
        readings.skipped_us,
        greatest(
            case
                when readings.clock_starts_with = 'STOPPING' then reserved_pauses.from_stopping_at
                else reserved_pauses.started_at
            end,
            reserved_pauses.window_starts_at
        ) as from_at,
        least(
            case
                when readings.clock_runs_through = 'STARTING' then reserved_pauses.until_running_at
                else reserved_pauses.ended_at
            end,
            reserved_pauses.window_ends_at
        ) as to_at
    from reserved_pauses
    cross join readings
    where
        reserved_pauses.started_at < reserved_pauses.window_ends_at
        and reserved_pauses.ended_at > reserved_pauses.window_starts_at
),

measured_stretches as (
    select
        *,
        {{ us_between('from_at', 'to_at') }} as clock_us
    from stretches
),

final as (
    select
        reservation_id,
        instance_id,
        paused_at,
        reading,
        {{ us_after('from_at', 'skipped_us') }} as from_at,
        to_at,
        case when clock_us >= least_us and clock_us > skipped_us then clock_us - skipped_us else 0 end as counted_us
    from measured_stretches
)

select * from final
