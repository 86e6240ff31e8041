{{ config(materialized='view') }}

with

cost_days as (
    select * from {{ relocatable(ref('fct_cost_daily')) }}
    where cost_kind = 'instance'
),

reservation_days as (
    select * from {{ relocatable(ref('fct_reservation_days')) }}
),

commitments as (
    select * from {{ relocatable(ref('fct_commitments')) }}
),

placed_months as (
    select
        reservation_id,
        min(month) as placed_month
    from commitments
    group by reservation_id
),

used_days as (
    select
        reservation_days.project_id,
        reservation_days.month,
        reservation_days.reserved_us,
        reservation_days.allocated_used_cent_us + reservation_days.allocated_unused_cent_us as accrued_cent_us,
        case when placed_months.placed_month = reservation_days.month then 1 else 0 end as is_booked_now
    from reservation_days
    left join placed_months on reservation_days.reservation_id = placed_months.reservation_id
),

movements as (
    select
        project_id,
        month,
        spot_cost_cent_us,
        0 as booked_us,
        0 as booked_cent_us,
        0 as accrued_us,
        0 as accrued_now_cent_us,
        0 as accrued_earlier_cent_us
    from cost_days
    union all
    select
        project_id,
        month,
        0 as spot_cost_cent_us,
        committed_us as booked_us,
        committed_cost_cent_us as booked_cent_us,
        0 as accrued_us,
        0 as accrued_now_cent_us,
        0 as accrued_earlier_cent_us
    from commitments
    union all
    select
        project_id,
        month,
        0 as spot_cost_cent_us,
        0 as booked_us,
        0 as booked_cent_us,
        reserved_us as accrued_us,
        accrued_cent_us * is_booked_now as accrued_now_cent_us,
        accrued_cent_us * (1 - is_booked_now) as accrued_earlier_cent_us
    from used_days
),

final as (
    select
        project_id,
        month,
        sum(spot_cost_cent_us) as spot_cost_cent_us,
        {{ sum_known('booked_cent_us', 'booked_us') }} as booked_cent_us,
        {{ sum_known('accrued_now_cent_us', 'accrued_us') }} as accrued_now_cent_us,
        {{ sum_known('accrued_earlier_cent_us', 'accrued_us') }} as accrued_earlier_cent_us,
        sum(spot_cost_cent_us) + {{ sum_known('booked_cent_us', 'booked_us') }} as cash_cost_cent_us,
        sum(spot_cost_cent_us)
        + {{ sum_known('(accrued_now_cent_us + accrued_earlier_cent_us)', 'accrued_us') }} as accrued_cost_cent_us
    from movements
    group by project_id, month
)

select * from final
