-- In each hour used and unused time make up the reserved; used is what the instances were up inside the grants.
with

reservation_hours as (
    select * from {{ ref('fct_reservation_hours') }}
),

instances as (
    select * from {{ ref('dim_instances') }}
),

instance_hours as (
    select * from {{ ref('fct_instance_hours') }}
    where reserved_used_us > 0
),

used_hours as (
    select
        instances.reservation_id,
        instance_hours.hour_at,
        sum(instance_hours.reserved_used_us) as used_us
    from instance_hours
    inner join instances on instance_hours.instance_id = instances.instance_id
    group by instances.reservation_id, instance_hours.hour_at
)

select
    coalesce(reservation_hours.reservation_id, used_hours.reservation_id) as reservation_id,
    coalesce(reservation_hours.hour_at, used_hours.hour_at) as hour_at
from reservation_hours
full outer join used_hours
    on reservation_hours.reservation_id = used_hours.reservation_id
    and reservation_hours.hour_at = used_hours.hour_at
where
    reservation_hours.reservation_id is null
    or reservation_hours.used_us + reservation_hours.unused_us <> reservation_hours.reserved_us
    or reservation_hours.used_us <> coalesce(used_hours.used_us, 0)
