with

vendor_readings as (
    select * from {{ ref('vendor_readings') }}
    where figure = 'pause_credit'
),

final as (
    select
        reading,
        clock_starts_with,
        clock_runs_through,
        least_seconds * {{ seconds_us(1) }} as least_us,
        skipped_seconds * {{ seconds_us(1) }} as skipped_us
    from vendor_readings
    union all
    select
        'ours' as reading,
        'PAUSED' as clock_starts_with,
        'PAUSED' as clock_runs_through,
        {{ seconds_us(var('pause_credit_min_seconds')) }} as least_us,
        0 as skipped_us
)

select * from final
