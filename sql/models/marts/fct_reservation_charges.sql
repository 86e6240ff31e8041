{{ config(materialized='view') }}

with

reservation_hours as (
    select * from {{ relocatable(ref('fct_reservation_hours')) }}
),

return_hours as (
    select * from {{ relocatable(ref('fct_return_hours')) }}
),

returns as (
    select * from {{ relocatable(ref('fct_return_credits')) }}
),

given_back_hours as (
    select
        reservation_id,
        hour_at,
        sum(given_back_us) as given_back_us,
        {{ sum_all_known('given_back_cost_cent_us') }} as given_back_cost_cent_us
    from return_hours
    where is_past
    group by reservation_id, hour_at
),

-- What was given back is charged in the hour in which it was: it stands idle no more.
idle_hours as (
    select
        reservation_hours.reservation_id,
        reservation_hours.project_id,
        reservation_hours.hour_at,
        reservation_hours.unused_us - coalesce(given_back.given_back_us, 0) as idle_us,
        reservation_hours.allocated_unused_cent_us
        - {{ zero_unless('given_back.reservation_id', 'given_back.given_back_cost_cent_us') }} as idle_cost_cent_us
    from reservation_hours
    left join given_back_hours as given_back
        on reservation_hours.reservation_id = given_back.reservation_id
        and reservation_hours.hour_at = given_back.hour_at
),

charges as (
    select
        case when idle_us > 0 and coalesce(idle_cost_cent_us, 0) >= 0 then 'reserved_idle' else 'reserved_rest' end
            as charge_kind,
        cast(null as {{ text() }}) as instance_id,
        reservation_id,
        project_id,
        hour_at,
        idle_us as charged_us,
        idle_cost_cent_us as cost_cent_us
    from idle_hours
    where idle_us <> 0 or idle_cost_cent_us <> 0
    union all
    select
        'return_writeoff' as charge_kind,
        instance_id,
        reservation_id,
        project_id,
        {{ hour_of('returned_at') }} as hour_at,
        sum(given_back_us) as charged_us,
        {{ sum_all_known('given_back_cost_cent_us') }} as cost_cent_us
    from return_hours
    group by instance_id, reservation_id, project_id, returned_at
    union all
    select
        'return_credit' as charge_kind,
        instance_id,
        reservation_id,
        project_id,
        {{ hour_of('returned_at') }} as hour_at,
        hours_left_us as charged_us,
        -return_credit_cent_us as cost_cent_us
    from returns
),

final as (
    select
        charge_kind || ' ' || {{ span_key('coalesce(instance_id, reservation_id)', 'hour_at') }} as charge_id,
        charge_kind,
        instance_id,
        reservation_id,
        project_id,
        hour_at,
        cast(charged_us as bigint) as charged_us,
        {{ wide('cost_cent_us') }} as cost_cent_us
    from charges
)

select * from final
