-- By cash and by accrual, the months of a project have all spot cost, all that was committed and all that was reserved.
with

months as (
    select
        project_id,
        sum(spot_cost_cent_us) as spot_cent_us,
        sum(coalesce(booked_cent_us, 0)) as booked_cent_us,
        sum(coalesce(accrued_now_cent_us, 0) + coalesce(accrued_earlier_cent_us, 0)) as accrued_cent_us,
        sum(
            case
                when cash_cost_cent_us <> spot_cost_cent_us + booked_cent_us then 1
                when accrued_cost_cent_us <> spot_cost_cent_us + accrued_now_cent_us + accrued_earlier_cent_us then 1
                else 0
            end
        ) as strange_rows
    from {{ ref('fct_cost_monthly') }}
    group by project_id
),

days as (
    select
        project_id,
        sum(spot_cost_cent_us) as spot_cent_us
    from {{ ref('fct_cost_daily') }}
    group by project_id
),

committed as (
    select
        project_id,
        sum(committed_cost_cent_us) as booked_cent_us
    from {{ ref('fct_commitments') }}
    group by project_id
),

reserved as (
    select
        project_id,
        sum(allocated_used_cent_us + allocated_unused_cent_us) as accrued_cent_us
    from {{ ref('fct_reservation_days') }}
    group by project_id
)

select months.project_id
from months
full outer join days on months.project_id = days.project_id
left join committed on months.project_id = committed.project_id
left join reserved on months.project_id = reserved.project_id
where
    months.project_id is null
    or months.strange_rows > 0
    or months.spot_cent_us <> coalesce(days.spot_cent_us, 0)
    or months.booked_cent_us <> coalesce(committed.booked_cent_us, 0)
    or months.accrued_cent_us <> coalesce(reserved.accrued_cent_us, 0)
