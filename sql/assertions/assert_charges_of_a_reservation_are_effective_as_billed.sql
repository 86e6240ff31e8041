-- Of a reservation whose window has ended, what its hours cost is what placing it cost; each credit is both at once.
-- Looked at are those that have ended since the build before, or of which anything may be new.
with

reservation_terms as (
    select * from {{ ref('int_reservation_terms') }}
),

reservations as (
    select reservations.reservation_id
    from {{ ref('dim_reservations') }} as reservations
    inner join reservation_terms on reservations.reservation_id = reservation_terms.reservation_id
    where
        reservations.ends_at <= reservations.as_of
        and (
            reservation_terms.is_changed
            or reservations.ends_at >= reservation_terms.first_as_of
            or {{ since_first_change('reservations.ends_at') }}
        )
),

charges as (
    select charges.*
    from {{ ref('fct_charges') }} as charges
    inner join reservations on charges.reservation_id = reservations.reservation_id
    where charges.charge_kind <> 'spot_usage' -- which follows; said, it spares an engine most rows
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
