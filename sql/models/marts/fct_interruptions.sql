{{ config(materialized='incremental', pre_hook="{{ forget() }}") }}

with

spells as (
    {{ recounted(ref('int_status_spells'), 'ended_at', 'spells_from_at') }}
),

interruptions as (
    select
        instance_id,
        project_id,
        ended_at as interrupted_at,
        status as from_status,
        next_status as to_status,
        is_up as left_up,
        next_running_at as recovered_at
    from spells
    where
        next_status in ('PREEMPTED', 'ERROR')
        and status not in ('PREEMPTED', 'ERROR')
),

final as (
    select
        {{ span_key('instance_id', 'interrupted_at') }} as interruption_id,
        instance_id,
        project_id,
        interrupted_at,
        {{ hour_of('interrupted_at') }} as hour_at,
        {{ report_day('interrupted_at') }} as day,
        {{ report_month('interrupted_at') }} as month,
        from_status,
        to_status,
        left_up,
        recovered_at,
        case when left_up then {{ us_between('interrupted_at', 'recovered_at') }} end as recovery_us
    from interruptions
)

select * from final
