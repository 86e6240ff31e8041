-- Each kind of charge adds up, by project and day, to what its mart says: from the first day on that may be new.
{#- No day begins earlier than that. Said of hours, it spares an engine all charges before. -#}
{% set is_near_what_changed = since_first_change('hour_at', us_after('min(hours_from_at)', '-' ~ seconds_us(172800))) %}
with

charges as (
    select
        case when charge_kind in ('reserved_idle', 'reserved_rest') then 'unused' else charge_kind end as part,
        project_id,
        day,
        cost_cent_us
    from {{ ref('fct_charges') }}
    where charge_kind not in ('return_writeoff', 'cut_writeoff') and {{ is_near_what_changed }}
    union all
    select
        'unused' as part,
        project_id,
        {{ report_day('hour_at') }} as day,
        given_back_cost_cent_us as cost_cent_us
    from {{ ref('fct_return_hours') }}
    where is_past and {{ is_near_what_changed }}
),

facts as (
    select
        'spot_usage' as part,
        project_id,
        day,
        spot_cost_cent_us as cost_cent_us
    from {{ ref('fct_cost_daily') }}
    union all
    select
        case when cost_kind = 'instance' then 'reserved_used' else 'unused' end as part,
        project_id,
        day,
        allocated_cost_cent_us as cost_cent_us
    from {{ ref('fct_cost_daily') }}
    union all
    select
        'pause_credit' as part,
        project_id,
        day,
        -pause_credit_cent_us as cost_cent_us
    from {{ ref('fct_cost_daily') }}
    union all
    select
        'reservation_purchase' as part,
        project_id,
        day,
        committed_cost_cent_us as cost_cent_us
    from {{ ref('fct_commitments') }}
    union all
    select
        'return_credit' as part,
        project_id,
        {{ report_day('returned_at') }} as day,
        -return_credit_cent_us as cost_cent_us
    from {{ ref('fct_return_credits') }}
),

charged as (
    select
        part,
        project_id,
        day,
        coalesce(sum(cost_cent_us), 0) as cost_cent_us
    from charges
    where {{ since_first_change('day', report_day('min(hours_from_at)')) }}
    group by part, project_id, day
),

told as (
    select
        part,
        project_id,
        day,
        coalesce(sum(cost_cent_us), 0) as cost_cent_us
    from facts
    where {{ since_first_change('day', report_day('min(hours_from_at)')) }}
    group by part, project_id, day
)

select
    coalesce(charged.part, told.part) as part,
    coalesce(charged.project_id, told.project_id) as project_id,
    coalesce(charged.day, told.day) as day
from charged
full outer join told
    on charged.part = told.part
    and charged.project_id = told.project_id
    and charged.day = told.day
where coalesce(charged.cost_cent_us, 0) <> coalesce(told.cost_cent_us, 0)
