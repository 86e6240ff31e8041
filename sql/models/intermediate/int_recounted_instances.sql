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

-- What comes before an instance began to run does not hang on what came after: nothing looks further ahead than that.
final as (
    select
        changed_instances.instance_id,
        changed_instances.hours_from_at,
        coalesce(max(running_spells.started_at), {{ since_ever() }}) as spells_from_at,
        least(
            changed_instances.hours_from_at, coalesce(max(running_spells.ended_at), {{ since_ever() }})
        ) as recoveries_from_at
    from changed_instances
    left join running_spells
        on changed_instances.instance_id = running_spells.instance_id
        and changed_instances.hours_from_at > running_spells.started_at
    group by changed_instances.instance_id, changed_instances.hours_from_at
)

select * from final
