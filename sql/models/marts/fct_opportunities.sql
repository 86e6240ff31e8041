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

return_hours as (
    select * from {{ relocatable(ref('fct_return_hours')) }}
    where is_past
),

return_rates as (
    select * from {{ relocatable(ref('fct_reservation_rates')) }}
    where rate_kind = 'return_credit'
),

reservations as (
    select * from {{ relocatable(ref('dim_reservations')) }}
),

open_spells as (
    select * from {{ relocatable(ref('fct_status_spells')) }}
    where is_open
),

-- Of what has ended nothing can be paused, used or given back any more.
reservations_over as (
    select reservation_id from reservations
    where ends_at <= as_of
),

instances_over as (
    select instances.instance_id
    from instances
    left join open_spells on instances.instance_id = open_spells.instance_id
    where open_spells.instance_id is null
),

rated_return_hours as (
    select
        return_hours.*,
        {{ cent_us('return_rates.rate_cents', 'return_hours.given_back_us') }} as return_credit_cent_us
    from return_hours
    left join return_rates
        on return_hours.reservation_id = return_rates.reservation_id
        and return_hours.returned_at >= return_rates.from_at
        and return_hours.returned_at < return_rates.to_at
),

given_back_hours as (
    select
        reservation_id,
        hour_at,
        sum(given_back_us) as given_back_us,
        {{ sum_all_known('given_back_cost_cent_us') }} as given_back_cost_cent_us
    from rated_return_hours
    group by reservation_id, hour_at
),

-- What was given back is a line of its own: it stands idle no more.
idle_hours as (
    select
        unused_hours.reservation_id,
        unused_hours.project_id,
        unused_hours.hour_at,
        unused_hours.pause_credit_cent_us,
        unused_hours.unused_us - coalesce(given_back.given_back_us, 0) as idle_us,
        unused_hours.allocated_unused_cent_us
        - {{ zero_unless('given_back.reservation_id', 'given_back.given_back_cost_cent_us') }} as idle_cost_cent_us
    from unused_hours
    left join given_back_hours as given_back
        on unused_hours.reservation_id = given_back.reservation_id
        and unused_hours.hour_at = given_back.hour_at
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
            as advice,
        reservation_id,
        instance_id,
        project_id,
        hour_at,
        unclaimed_us as idle_us,
        cast(null as {{ wide_integer() }}) as idle_cost_cent_us,
        cast(null as {{ wide_integer() }}) as pause_credit_cent_us,
        cast(null as {{ wide_integer() }}) as return_credit_cent_us,
        unclaimed_credit_cent_us as at_stake_cent_us
    from missed_hours
    where unclaimed_us > 0
    union all
    select
        'pause_for_longer' as opportunity,
        'Pause it for {{ least_credited_minutes() }} minutes at least: less earns nothing.' as advice,
        reservation_id,
        instance_id,
        project_id,
        hour_at,
        short_paused_us as idle_us,
        cast(null as {{ wide_integer() }}) as idle_cost_cent_us,
        cast(null as {{ wide_integer() }}) as pause_credit_cent_us,
        cast(null as {{ wide_integer() }}) as return_credit_cent_us,
        short_pause_loss_cent_us as at_stake_cent_us
    from missed_hours
    where short_paused_us > 0
    union all
    select
        'use_or_return' as opportunity,
        'Use these hours, give instances back or reserve fewer: they were paid for, and nothing ran.' as advice,
        idle_hours.reservation_id,
        cast(null as {{ text() }}) as instance_id,
        idle_hours.project_id,
        idle_hours.hour_at,
        idle_hours.idle_us,
        idle_hours.idle_cost_cent_us,
        idle_hours.pause_credit_cent_us,
        cast(null as {{ wide_integer() }}) as return_credit_cent_us,
        idle_hours.idle_cost_cent_us
        - coalesce(idle_hours.pause_credit_cent_us, 0) - coalesce(missed_credits.missed_cent_us, 0)
            as at_stake_cent_us
    from idle_hours
    left join missed_credits
        on idle_hours.reservation_id = missed_credits.reservation_id
        and idle_hours.hour_at = missed_credits.hour_at
    where idle_hours.idle_us > 0 or idle_hours.idle_cost_cent_us <> 0
    union all
    select
        'given_back' as opportunity,
        'It was given back: this is what the credit for it leaves of its price.' as advice,
        reservation_id,
        instance_id,
        project_id,
        hour_at,
        sum(given_back_us) as idle_us,
        {{ sum_all_known('given_back_cost_cent_us') }} as idle_cost_cent_us,
        cast(null as {{ wide_integer() }}) as pause_credit_cent_us,
        {{ sum_all_known('return_credit_cent_us') }} as return_credit_cent_us,
        {{ sum_all_known('given_back_cost_cent_us - return_credit_cent_us') }} as at_stake_cent_us
    from rated_return_hours
    group by reservation_id, instance_id, project_id, hour_at
),

final as (
    select
        lines.opportunity,
        case
            when
                lines.opportunity <> 'given_back'
                and (reservations_over.reservation_id is not null or instances_over.instance_id is not null)
                then 'It is over: nothing can be done about it any more.'
            else lines.advice
        end as what_to_do,
        lines.reservation_id,
        lines.instance_id,
        lines.project_id,
        lines.hour_at,
        cast(lines.idle_us as bigint) as idle_us,
        {{ wide('lines.idle_cost_cent_us') }} as idle_cost_cent_us,
        {{ wide('lines.pause_credit_cent_us') }} as pause_credit_cent_us,
        {{ wide('lines.at_stake_cent_us') }} as at_stake_cent_us,
        {{ wide('lines.return_credit_cent_us') }} as return_credit_cent_us,
        lines.opportunity = 'given_back'
        or reservations_over.reservation_id is not null
        or instances_over.instance_id is not null as is_over
    from lines
    left join reservations_over on lines.reservation_id = reservations_over.reservation_id
    left join instances_over on lines.instance_id = instances_over.instance_id
)

select * from final
