{{ config(materialized='view') }}

with

instance_hours as (
    select * from {{ relocatable(ref('fct_instance_hours')) }}
    where unclaimed_us > 0 or short_paused_us > 0
),

instances as (
    select * from {{ relocatable(ref('dim_instances')) }}
),

reservation_hours as (
    select * from {{ relocatable(ref('fct_reservation_hours')) }}
    where unused_us > 0
),

idle_charges as (
    select * from {{ relocatable(ref('fct_reservation_charges')) }}
    where charge_kind in ('reserved_idle', 'reserved_rest')
),

return_hours as (
    select * from {{ relocatable(ref('fct_return_hours')) }}
    where is_past
),

missed_credits as (
    select
        instances.reservation_id,
        instance_hours.hour_at,
        sum(
            coalesce(instance_hours.unclaimed_credit_cent_us, 0) + coalesce(instance_hours.short_pause_loss_cent_us, 0)
        ) as missed_cent_us
    from instance_hours
    inner join instances on instance_hours.instance_id = instances.instance_id
    group by instances.reservation_id, instance_hours.hour_at
),

-- What was given back is a line of its own: it stands idle no more.
lines as (
    select
        'use_or_return' as opportunity,
        idle_charges.reservation_id,
        cast(null as {{ text() }}) as instance_id,
        idle_charges.project_id,
        idle_charges.hour_at,
        idle_charges.charged_us as idle_us,
        idle_charges.cost_cent_us as idle_cost_cent_us,
        reservation_hours.pause_credit_cent_us,
        cast(null as {{ wide_integer() }}) as return_credit_cent_us,
        idle_charges.cost_cent_us
        - coalesce(reservation_hours.pause_credit_cent_us, 0) - coalesce(missed_credits.missed_cent_us, 0)
            as at_stake_cent_us
    from idle_charges
    inner join reservation_hours
        on idle_charges.reservation_id = reservation_hours.reservation_id
        and idle_charges.hour_at = reservation_hours.hour_at
    left join missed_credits
        on idle_charges.reservation_id = missed_credits.reservation_id
        and idle_charges.hour_at = missed_credits.hour_at
    union all
    select
        'given_back' as opportunity,
        reservation_id,
        instance_id,
        project_id,
        hour_at,
        sum(given_back_us) as idle_us,
        {{ sum_all_known('given_back_cost_cent_us') }} as idle_cost_cent_us,
        cast(null as {{ wide_integer() }}) as pause_credit_cent_us,
        {{ sum_all_known('return_credit_cent_us') }} as return_credit_cent_us,
        {{ sum_all_known('given_back_cost_cent_us - return_credit_cent_us') }} as at_stake_cent_us
    from return_hours
    group by reservation_id, instance_id, project_id, hour_at
),

final as (
    select
        opportunity,
        reservation_id,
        instance_id,
        project_id,
        hour_at,
        cast(idle_us as bigint) as idle_us,
        {{ wide('idle_cost_cent_us') }} as idle_cost_cent_us,
        {{ wide('pause_credit_cent_us') }} as pause_credit_cent_us,
        {{ wide('return_credit_cent_us') }} as return_credit_cent_us,
        {{ wide('at_stake_cent_us') }} as at_stake_cent_us
    from lines
)

select * from final
