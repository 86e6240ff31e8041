{{ config(materialized='incremental', pre_hook="{{ forget() }}") }}

with

interruptions as (
    select * from {{ ref('fct_interruptions') }}
),

instance_hours as (
    {{ recounted(ref('fct_instance_hours'), 'day', 'recoveries_from_at') }}
),

days as (
    select
        instance_id,
        project_id,
        day,
        month,
        cast(sum(up_us) as bigint) as up_us,
        cast(sum(down_us) as bigint) as down_us
    from instance_hours
    group by instance_id, project_id, day, month
),

interrupted_days as (
    select
        instance_id,
        day,
        count(*) as interruptions,
        count(recovery_us) as recoveries,
        cast(sum(recovery_us) as bigint) as recovery_us
    from interruptions
    group by instance_id, day
),

final as (
    select
        {{ span_key('days.instance_id', 'days.day') }} as uptime_day_id,
        days.instance_id,
        days.project_id,
        days.day,
        days.month,
        days.up_us,
        days.down_us,
        {{ hours('days.up_us') }} as up_hours,
        {{ hours('days.down_us') }} as down_hours,
        {{ percent('days.up_us', '(days.up_us + days.down_us)') }} as uptime_pct,
        coalesce(interrupted_days.interruptions, 0) as interruptions,
        coalesce(interrupted_days.recoveries, 0) as recoveries,
        coalesce(interrupted_days.recovery_us, 0) as recovery_us
    from days
    left join interrupted_days
        on days.instance_id = interrupted_days.instance_id and days.day = interrupted_days.day
)

select * from final
