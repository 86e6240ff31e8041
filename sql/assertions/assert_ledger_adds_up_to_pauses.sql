-- The ledger has the time and the credit of every pause that earns some, once; what has lapsed lies behind as_of.
with

ledger as (
    select
        ledger.*,
        projects.as_of
    from {{ ref('fct_credit_ledger') }} as ledger
    inner join {{ ref('dim_projects') }} as projects on ledger.project_id = projects.project_id
),

by_ledger as (
    select
        reservation_id,
        sum(credited_us) as credited_us,
        sum(coalesce(credit_cent_us, 0)) as credit_cent_us,
        sum(case when (ageing = 'expired') <> coalesce(expires_at <= as_of, false) then 1 else 0 end) as misplaced_rows
    from ledger
    group by reservation_id
),

by_pause as (
    select
        reservation_id,
        sum(credited_us) as credited_us,
        sum(coalesce(pause_credit_cent_us, 0)) as credit_cent_us
    from {{ ref('fct_pause_credits') }}
    where is_credited
    group by reservation_id
)

select coalesce(by_ledger.reservation_id, by_pause.reservation_id) as reservation_id
from by_ledger
full outer join by_pause on by_ledger.reservation_id = by_pause.reservation_id
where
    by_ledger.reservation_id is null
    or by_pause.reservation_id is null
    or by_ledger.credited_us <> by_pause.credited_us
    or by_ledger.credit_cent_us <> by_pause.credit_cent_us
    or by_ledger.misplaced_rows > 0
