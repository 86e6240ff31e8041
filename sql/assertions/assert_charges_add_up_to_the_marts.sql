-- Each kind of charge adds up, by project and month, to what its mart says: nothing twice, nothing lost.
with

charges as (
    select
        case when charge_kind in ('reserved_idle', 'reserved_rest') then 'unused' else charge_kind end as part,
        project_id,
        month,
        cost_cent_us
    from {{ ref('fct_charges') }}
    where charge_kind not in ('return_writeoff', 'cut_writeoff')
    union all
    select
        'unused' as part,
        project_id,
        {{ report_month('hour_at') }} as month,
        given_back_cost_cent_us as cost_cent_us
    from {{ ref('fct_return_hours') }}
    where is_past
),

facts as (
    select
        'spot_usage' as part,
        project_id,
        month,
        spot_cost_cent_us as cost_cent_us
    from {{ ref('fct_cost_daily') }}
    union all
    select
        case when cost_kind = 'instance' then 'reserved_used' else 'unused' end as part,
        project_id,
        month,
        allocated_cost_cent_us as cost_cent_us
    from {{ ref('fct_cost_daily') }}
    union all
    select
        'pause_credit' as part,
        project_id,
        month,
        -pause_credit_cent_us as cost_cent_us
    from {{ ref('fct_cost_daily') }}
    union all
    select
        'reservation_purchase' as part,
        project_id,
        month,
        committed_cost_cent_us as cost_cent_us
    from {{ ref('fct_commitments') }}
    union all
    select
        'return_credit' as part,
        project_id,
        {{ report_month('returned_at') }} as month,
        -return_credit_cent_us as cost_cent_us
    from {{ ref('fct_return_credits') }}
),

charged as (
    select
        part,
        project_id,
        month,
        coalesce(sum(cost_cent_us), 0) as cost_cent_us
    from charges
    group by part, project_id, month
),

told as (
    select
        part,
        project_id,
        month,
        coalesce(sum(cost_cent_us), 0) as cost_cent_us
    from facts
    group by part, project_id, month
)

select
    coalesce(charged.part, told.part) as part,
    coalesce(charged.project_id, told.project_id) as project_id,
    coalesce(charged.month, told.month) as month
from charged
full outer join told
    on charged.part = told.part
    and charged.project_id = told.project_id
    and charged.month = told.month
where coalesce(charged.cost_cent_us, 0) <> coalesce(told.cost_cent_us, 0)
