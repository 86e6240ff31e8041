{{ config(materialized='incremental', pre_hook="{{ forget() }}") }}

with

spells as (
    {{ recounted(ref('int_status_spells'), 'started_at', 'spells_from_at') }}
),

final as (
    select
        {{ span_key('instance_id', 'started_at') }} as spell_id,
        instance_id,
        project_id,
        status,
        phase,
        is_known_status,
        is_up,
        is_billed,
        is_planned,
        is_down,
        started_at,
        ended_at,
        is_open,
        duration_us,
        {{ hours('duration_us') }} as duration_hours,
        previous_status,
        next_status
    from spells
)

select * from final
