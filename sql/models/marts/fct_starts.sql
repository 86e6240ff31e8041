{{ config(materialized='incremental', pre_hook="{{ forget() }}") }}

with

statuses as (
    select * from {{ ref('int_statuses') }}
),

spells as (
    {{ recounted(ref('int_status_spells'), 'started_at', 'spells_from_at') }}
),

starts as (
    select
        spells.instance_id,
        spells.project_id,
        spells.started_at as asked_at,
        spells.next_running_at as running_at
    from spells
    left join statuses on spells.previous_status = statuses.status
    where
        spells.phase in ('waiting', 'starting')
        and coalesce(statuses.phase, 'none') not in ('waiting', 'starting')
        and not coalesce(statuses.is_up, false)
),

final as (
    select
        {{ span_key('instance_id', 'asked_at') }} as start_id,
        instance_id,
        project_id,
        asked_at,
        {{ hour_of('asked_at') }} as hour_at,
        {{ report_day('asked_at') }} as day,
        {{ report_month('asked_at') }} as month,
        running_at,
        {{ us_between('asked_at', 'running_at') }} as time_to_start_us
    from starts
)

select * from final
