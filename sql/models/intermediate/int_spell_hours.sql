{{ config(materialized='table') }}

with

spells as (
    select * from {{ ref('int_status_spells') }}
),

touched_hours as (
    select
        instance_id,
        phase,
        is_up,
        is_billed,
        is_planned,
        is_down,
        started_at,
        ended_at,
        {{ each_hour('started_at', 'ended_at') }} as hour_at
    from spells
),

cut_spells as (
    select
        instance_id,
        hour_at,
        phase,
        is_up,
        is_billed,
        is_planned,
        is_down,
        greatest(started_at, hour_at) as from_at,
        least(ended_at, {{ next_hour('hour_at') }}) as to_at
    from touched_hours
),

final as (
    select
        *,
        {{ us_between('from_at', 'to_at') }} as piece_us
    from cut_spells
)

select * from final
