-- In each hour of a reservation in which all is known, what is at stake and the credit for what was given back add up
-- to its idle cost net of pause credit.
with

reservation_hours as (
    select * from {{ ref('fct_reservation_hours') }}
    where
        unused_us > 0
        and allocated_unused_cent_us is not null
        and pause_credit_cent_us is not null
        and {{ since_first_change('hour_at') }}
),

at_stake as (
    select
        reservation_id,
        hour_at,
        sum(at_stake_cent_us + coalesce(return_credit_cent_us, 0)) as at_stake_cent_us,
        count(*) - count(at_stake_cent_us) as unknown_rows
    from {{ ref('fct_opportunities') }}
    where {{ since_first_change('hour_at') }}
    group by reservation_id, hour_at
)

select reservation_hours.*
from reservation_hours
left join at_stake
    on reservation_hours.reservation_id = at_stake.reservation_id
    and reservation_hours.hour_at = at_stake.hour_at
where
    coalesce(at_stake.unknown_rows, 0) = 0
    and coalesce(at_stake.at_stake_cent_us, -1)
    <> reservation_hours.allocated_unused_cent_us - reservation_hours.pause_credit_cent_us
