{{ config(materialized='table') }}

with

spells as (
    select * from {{ ref('int_status_spells') }}
    where {{ since_first_change('ended_at') }}
),

recounted_instances as (
    select * from {{ ref('int_recounted_instances') }}
),

touched_hours as (
    select
        spells.instance_id,
        spells.reservation_id,
        spells.phase,
        spells.is_up,
        spells.is_billed,
        spells.is_planned,
        spells.is_down,
        spells.started_at,
        spells.ended_at,
        {{ each_hour('greatest(spells.started_at, recounted_instances.hours_from_at)', 'spells.ended_at') }} as hour_at
    from spells
    inner join recounted_instances
        on spells.instance_id = recounted_instances.instance_id
        and spells.ended_at > recounted_instances.hours_from_at
    {{ from_each_hour('greatest(spells.started_at, recounted_instances.hours_from_at)', 'spells.ended_at') }}
),

cut_spells as (
    select
        instance_id,
        reservation_id,
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
