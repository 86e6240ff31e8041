{{ config(materialized='view') }}

with

instance_hours as (
    select * from {{ relocatable(ref('fct_instance_hours')) }}
    where unclaimed_us > 0 or short_paused_us > 0
),

instances as (
    select * from {{ relocatable(ref('dim_instances')) }}
),

unused_hours as (
    select * from {{ relocatable(ref('fct_reservation_hours')) }}
    where unused_us > 0
),

missed_hours as (
    select
        instance_hours.*,
        instances.reservation_id
    from instance_hours
    inner join instances on instance_hours.instance_id = instances.instance_id
),

missed_credits as (
    select
        reservation_id,
        hour_at,
        sum(coalesce(unclaimed_credit_cent_us, 0) + coalesce(short_pause_loss_cent_us, 0)) as missed_cent_us
    from missed_hours
    group by reservation_id, hour_at
),

lines as (
    select
        'pause_when_idle' as opportunity,
        'Pause it when it stands still for {{ least_credited_minutes() }} minutes: that earns credit.'
            as what_to_do,
        reservation_id,
        instance_id,
        project_id,
        hour_at,
        unclaimed_us as idle_us,
        cast(null as {{ wide_integer() }}) as idle_cost_cent_us,
        cast(null as {{ wide_integer() }}) as pause_credit_cent_us,
        unclaimed_credit_cent_us as at_stake_cent_us
    from missed_hours
    where unclaimed_us > 0
    union all
    select
        'pause_for_longer' as opportunity,
        'Pause it for {{ least_credited_minutes() }} minutes at least: less earns nothing.' as what_to_do,
        reservation_id,
        instance_id,
        project_id,
        hour_at,
        short_paused_us as idle_us,
        cast(null as {{ wide_integer() }}) as idle_cost_cent_us,
        cast(null as {{ wide_integer() }}) as pause_credit_cent_us,
        short_pause_loss_cent_us as at_stake_cent_us
    from missed_hours
    where short_paused_us > 0
    union all
    select
        'use_or_return' as opportunity,
        'Use these hours, give instances back or reserve fewer: they were paid for, and nothing ran.' as what_to_do,
        unused_hours.reservation_id,
        cast(null as {{ text() }}) as instance_id,
        unused_hours.project_id,
        unused_hours.hour_at,
        unused_hours.unused_us as idle_us,
        unused_hours.allocated_unused_cent_us as idle_cost_cent_us,
        unused_hours.pause_credit_cent_us,
        unused_hours.allocated_unused_cent_us
        - coalesce(unused_hours.pause_credit_cent_us, 0) - coalesce(missed_credits.missed_cent_us, 0)
            as at_stake_cent_us
    from unused_hours
    left join missed_credits
        on unused_hours.reservation_id = missed_credits.reservation_id
        and unused_hours.hour_at = missed_credits.hour_at
),

final as (
    select * from lines
)

select * from final
