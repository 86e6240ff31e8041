-- Of a reservation whose window has ended, what its hours cost is what placing it cost; each credit is both at once.
with

charges as (
    select * from {{ ref('fct_charges') }}
    where reservation_id is not null
),

reservations as (
    select * from {{ ref('dim_reservations') }}
    where ends_at <= as_of
),

sums as (
    select
        reservation_id,
        sum(case when charge_kind not like '%_credit' then billed_cost_cent_us end) as billed_cent_us,
        sum(case when charge_kind not like '%_credit' then effective_cost_cent_us end) as effective_cent_us,
        sum(case when charge_kind like '%_credit' then billed_cost_cent_us end) as billed_credit_cent_us,
        sum(case when charge_kind like '%_credit' then effective_cost_cent_us end) as effective_credit_cent_us,
        sum(case when charge_kind not like '%_credit' and cost_cent_us is null then 1 else 0 end) as unknown_charges
    from charges
    group by reservation_id
)

select sums.*
from sums
inner join reservations on sums.reservation_id = reservations.reservation_id
where
    (sums.unknown_charges = 0 and coalesce(sums.billed_cent_us, 0) <> coalesce(sums.effective_cent_us, 0))
    or coalesce(sums.billed_credit_cent_us, 0) <> coalesce(sums.effective_credit_cent_us, 0)
