-- Of each instance the hours and the spells are the same time, also the part that is up, down and billed.
with

by_hour as (
    select
        instance_id,
        sum(total_us) as total_us,
        sum(up_us) as up_us,
        sum(down_us) as down_us,
        sum(planned_us) as planned_us,
        sum(billed_us) as billed_us
    from {{ ref('fct_instance_hours') }}
    group by instance_id
),

by_spell as (
    select
        instance_id,
        sum(duration_us) as total_us,
        sum(case when is_up then duration_us else 0 end) as up_us,
        sum(case when is_down then duration_us else 0 end) as down_us,
        sum(case when is_planned then duration_us else 0 end) as planned_us,
        sum(case when is_billed then duration_us else 0 end) as billed_us
    from {{ ref('fct_status_spells') }}
    group by instance_id
)

select coalesce(by_hour.instance_id, by_spell.instance_id) as instance_id
from by_hour
full outer join by_spell on by_hour.instance_id = by_spell.instance_id
where
    by_hour.instance_id is null
    or by_spell.instance_id is null
    or by_hour.total_us <> by_spell.total_us
    or by_hour.up_us <> by_spell.up_us
    or by_hour.down_us <> by_spell.down_us
    or by_hour.planned_us <> by_spell.planned_us
    or by_hour.billed_us <> by_spell.billed_us
