-- Of a reservation that ran out as granted, what was allocated to used and unused hours is what was committed.
with

commitments as (
    select
        reservation_id,
        min(starts_at) as first_starts_at,
        max(ends_at) as last_ends_at,
        sum(committed_us) as committed_us,
        sum(committed_cost_cent_us) as committed_cost_cent_us,
        count(*) - count(committed_cost_cent_us) as unpriced_grants
    from {{ ref('fct_commitments') }}
    group by reservation_id
),

reservations as (
    select * from {{ ref('dim_reservations') }}
),

charges as (
    select
        reservation_id,
        sum(reserved_us) as reserved_us,
        sum(allocated_used_cent_us + allocated_unused_cent_us) as allocated_cent_us
    from {{ ref('fct_reservation_hours') }}
    group by reservation_id
)

select commitments.*
from commitments
inner join reservations on commitments.reservation_id = reservations.reservation_id
left join charges on commitments.reservation_id = charges.reservation_id
where
    commitments.last_ends_at <= reservations.as_of
    and commitments.first_starts_at >= reservations.starts_at
    and commitments.last_ends_at <= reservations.ends_at
    and commitments.unpriced_grants = 0
    and (
        coalesce(charges.reserved_us, 0) <> commitments.committed_us
        or coalesce(charges.allocated_cent_us, 0) <> commitments.committed_cost_cent_us
    )
