{{ config(materialized='view') }}

with

instance_hours as (
    select * from {{ relocatable(ref('fct_instance_hours')) }}
    where unclaimed_us > 0 or short_paused_us > 0
),

idle_costs as (
    select * from {{ relocatable(ref('fct_idle_costs')) }}
),

instances as (
    select * from {{ relocatable(ref('dim_instances')) }}
),

reservations as (
    select * from {{ relocatable(ref('dim_reservations')) }}
),

open_spells as (
    select * from {{ relocatable(ref('fct_status_spells')) }}
    where is_open
),

missed_credits as (
    select
        'pause_when_idle' as opportunity,
        instance_id,
        project_id,
        hour_at,
        unclaimed_us as idle_us,
        unclaimed_credit_cent_us as at_stake_cent_us
    from instance_hours
    where unclaimed_us > 0
    union all
    select
        'pause_for_longer' as opportunity,
        instance_id,
        project_id,
        hour_at,
        short_paused_us as idle_us,
        short_pause_loss_cent_us as at_stake_cent_us
    from instance_hours
    where short_paused_us > 0
),

lines as (
    select
        missed_credits.opportunity,
        instances.reservation_id,
        missed_credits.instance_id,
        missed_credits.project_id,
        missed_credits.hour_at,
        missed_credits.idle_us,
        cast(null as {{ wide_integer() }}) as idle_cost_cent_us,
        cast(null as {{ wide_integer() }}) as pause_credit_cent_us,
        cast(null as {{ wide_integer() }}) as return_credit_cent_us,
        missed_credits.at_stake_cent_us
    from missed_credits
    inner join instances on missed_credits.instance_id = instances.instance_id
    union all
    select * from idle_costs
),

-- Of what has ended nothing can be paused, used or given back any more.
dated_lines as (
    select
        lines.*,
        lines.opportunity = 'given_back'
        or coalesce(reservations.ends_at <= reservations.as_of, false)
        or (lines.instance_id is not null and open_spells.instance_id is null) as is_over
    from lines
    left join reservations on lines.reservation_id = reservations.reservation_id
    left join open_spells on lines.instance_id = open_spells.instance_id
),

final as (
    select
        opportunity,
        {{ advice_of('opportunity', 'is_over') }} as what_to_do,
        reservation_id,
        instance_id,
        project_id,
        hour_at,
        idle_us,
        idle_cost_cent_us,
        pause_credit_cent_us,
        at_stake_cent_us,
        return_credit_cent_us,
        is_over
    from dated_lines
)

select * from final
