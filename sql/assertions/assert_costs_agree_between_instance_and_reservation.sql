-- Allocated cost and pause credit of a reservation are the sum of those of its instances, wherever all are known.
with

instances as (
    select * from {{ ref('dim_instances') }}
    where order_type = 'reserved'
),

by_instance as (
    select
        instances.reservation_id,
        instance_hours.hour_at,
        sum(instance_hours.allocated_cost_cent_us) as allocated_cent_us,
        sum(instance_hours.pause_credit_cent_us) as credit_cent_us,
        count(*) - count(instance_hours.allocated_cost_cent_us) as unpriced_rows,
        count(*) - count(instance_hours.pause_credit_cent_us) as unrated_rows
    from {{ ref('fct_instance_hours') }} as instance_hours
    inner join instances on instance_hours.instance_id = instances.instance_id
    where {{ since_first_change('instance_hours.hour_at') }}
    group by instances.reservation_id, instance_hours.hour_at
),

by_reservation as (
    select * from {{ ref('fct_reservation_hours') }}
)

select by_reservation.*
from by_reservation
inner join by_instance
    on by_reservation.reservation_id = by_instance.reservation_id
    and by_reservation.hour_at = by_instance.hour_at
where
    by_instance.unpriced_rows = 0 and by_instance.allocated_cent_us <> by_reservation.allocated_used_cent_us
    or by_instance.unrated_rows = 0 and by_instance.credit_cent_us <> by_reservation.pause_credit_cent_us
