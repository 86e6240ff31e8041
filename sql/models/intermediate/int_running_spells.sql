{{ config(materialized='table') }}

with

spells as (
    select * from {{ ref('int_status_spells') }}
),

final as (
    select
        instance_id,
        project_id,
        status,
        phase,
        is_up,
        started_at,
        ended_at,
        previous_status,
        next_status,
        min(case when status = 'RUNNING' then started_at end) over (
            partition by instance_id order by started_at
            rows between 1 following and unbounded following
        ) as next_running_at
    from spells
)

select * from final
