with

charges as (
    select * from {{ ref('int_reservation_charges') }}
),

reservations as (
    select * from {{ ref('int_reservations') }}
),

final as (
    select
        {{ span_key('charges.reservation_id', 'charges.hour_at') }} as reservation_hour_id,
        charges.reservation_id,
        reservations.project_id,
        charges.hour_at,
        {{ report_day('charges.hour_at') }} as day,
        {{ report_month('charges.hour_at') }} as month,
        charges.reserved_us,
        charges.used_us,
        charges.reserved_us - charges.used_us as unused_us,
        charges.paused_us,
        charges.credited_us,
        charges.allocated_used_cent_us,
        charges.reserved_cost_cent_us - charges.allocated_used_cent_us as allocated_unused_cent_us,
        charges.pause_credit_cent_us
    from charges
    inner join reservations on charges.reservation_id = reservations.reservation_id
)

select * from final
