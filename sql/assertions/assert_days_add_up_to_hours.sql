-- Days add up to hours, in time and in money: of each instance from the first on that may be new, of each reservation.
with

by_hour as (
    select
        'usage ' || instance_id as part,
        sum(total_us) as span_us,
        sum(up_us) as up_us,
        sum(spot_cost_cent_us) as amount_cent_us,
        sum(pause_credit_cent_us) as credit_cent_us
    from {{ ref('fct_instance_hours') }}
    where {{ since_first_change('day', report_day('min(hours_from_at)')) }}
    group by instance_id
    union all
    select
        'reservation ' || reservation_id as part,
        sum(reserved_us) as span_us,
        sum(used_us) as up_us,
        sum(allocated_unused_cent_us) as amount_cent_us,
        sum(pause_credit_cent_us) as credit_cent_us
    from {{ ref('fct_reservation_hours') }}
    group by reservation_id
),

costs as (
    select
        instance_id,
        sum(spot_cost_cent_us) as amount_cent_us,
        sum(pause_credit_cent_us) as credit_cent_us
    from {{ ref('fct_cost_daily') }}
    where cost_kind = 'instance' and {{ since_first_change('day', report_day('min(hours_from_at)')) }}
    group by instance_id
),

uptimes as (
    select
        instance_id,
        sum(up_us) as up_us
    from {{ ref('fct_uptime_daily') }}
    where {{ since_first_change('day', report_day('min(hours_from_at)')) }}
    group by instance_id
),

by_day as (
    select
        'usage ' || usage_days.instance_id as part,
        sum(usage_days.total_us) as span_us,
        min(uptimes.up_us) as up_us,
        min(costs.amount_cent_us) as amount_cent_us,
        min(costs.credit_cent_us) as credit_cent_us
    from {{ ref('fct_usage_daily') }} as usage_days
    inner join costs on usage_days.instance_id = costs.instance_id
    inner join uptimes on usage_days.instance_id = uptimes.instance_id
    where {{ since_first_change('usage_days.day', report_day('min(hours_from_at)')) }}
    group by usage_days.instance_id
    union all
    select
        'reservation ' || reservation_id as part,
        sum(reserved_us) as span_us,
        sum(used_us) as up_us,
        sum(allocated_unused_cent_us) as amount_cent_us,
        sum(pause_credit_cent_us) as credit_cent_us
    from {{ ref('fct_reservation_days') }}
    group by reservation_id
)

select coalesce(by_hour.part, by_day.part) as part
from by_hour
full outer join by_day on by_hour.part = by_day.part
where
    by_hour.part is null
    or by_day.part is null
    or by_hour.span_us <> by_day.span_us
    or by_hour.up_us <> by_day.up_us
    or coalesce(by_hour.amount_cent_us, 0) <> coalesce(by_day.amount_cent_us, 0)
    or coalesce(by_hour.credit_cent_us, 0) <> coalesce(by_day.credit_cent_us, 0)
