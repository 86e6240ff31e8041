-- Of a reservation whose window has ended, what its hours cost is what placing it cost; each credit is both at once.
{% set summed_reservations = reservations_to_sum() %}
with

reservations as (
    {{ summed_reservations }}
),

charges as (
    select charges.*
    from {{ ref('fct_charges') }} as charges
    inner join reservations on charges.reservation_id = reservations.reservation_id
    where reservations.has_ended and charges.charge_kind <> 'spot_usage' and {{ has_any(summed_reservations) }}
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

select * from sums
where
    (unknown_charges = 0 and coalesce(billed_cent_us, 0) <> coalesce(effective_cent_us, 0))
    or coalesce(billed_credit_cent_us, 0) <> coalesce(effective_credit_cent_us, 0)
