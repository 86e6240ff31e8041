{{ config(materialized='table') }}

with

changed_instances as (
    select * from {{ ref('int_changed_instances') }}
    where hours_from_at is not null
),

running_spells as (
    select * from {{ ref('int_status_changes') }}
    where status = 'RUNNING' and is_up
),

last_runs as (
    {{ latest_of_each('changed_instances', 'running_spells', 'instance_id', 'started_at', ['started_at', 'ended_at'],
        'counted.started_at < asked.hours_from_at') }}
),

-- What comes before an instance began to run does not hang on what came after: nothing looks further ahead than that.
final as (
    select
        changed_instances.instance_id,
        changed_instances.hours_from_at,
        least(
            changed_instances.hours_from_at,
            coalesce(last_runs.started_at, changed_instances.first_told_at, changed_instances.hours_from_at)
        ) as spells_from_at,
        least(
            changed_instances.hours_from_at,
            coalesce(last_runs.ended_at, changed_instances.first_told_at, changed_instances.hours_from_at)
        ) as recoveries_from_at
    from changed_instances
    inner join last_runs on changed_instances.instance_id = last_runs.instance_id
)

select * from final
