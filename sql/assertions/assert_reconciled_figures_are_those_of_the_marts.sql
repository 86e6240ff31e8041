-- Where the vendor's summary is as of our own as_of, what is compared with it is what the other marts say.
with

reconciliation as (
    select compared.*
    from {{ ref('fct_reconciliation') }} as compared
    inner join {{ ref('dim_projects') }} as projects
        on compared.project_id = projects.project_id
        and compared.vendor_as_of = projects.as_of
),

commitments as (
    select
        reservation_id,
        'committed_cost_usd' as field,
        {{ sum_all_known('committed_cost_cent_us') }} as amount
    from {{ ref('fct_commitments') }}
    group by reservation_id
),

hours as (
    select
        reservation_id,
        'reserved_instance_hours' as field,
        sum(reserved_us) as amount
    from {{ ref('fct_reservation_hours') }}
    group by reservation_id
    union all
    select
        reservation_id,
        'active_instance_hours' as field,
        sum(used_us) as amount
    from {{ ref('fct_reservation_hours') }}
    group by reservation_id
    union all
    select
        reservation_id,
        'idle_instance_hours' as field,
        sum(unused_us) as amount
    from {{ ref('fct_reservation_hours') }}
    group by reservation_id
),

credits as (
    select
        reservation_id,
        'flex_use_credits_usd' as field,
        {{ sum_all_known('pause_credit_cent_us') }} as amount
    from {{ ref('fct_pause_credits') }}
    group by reservation_id
    union all
    select
        reservation_id,
        'early_termination_credits_usd' as field,
        {{ sum_all_known('return_credit_cent_us') }} as amount
    from {{ ref('fct_return_credits') }}
    group by reservation_id
),

facts as (
    select * from commitments
    union all
    select * from hours
    union all
    select * from credits
)

select reconciliation.*
from reconciliation
left join facts
    on reconciliation.reservation_id = facts.reservation_id
    and reconciliation.field = facts.field
where
    reconciliation.field <> 'net_cost_usd'
    and (facts.reservation_id is null or facts.amount is not null)
    and (
        reconciliation.ours is null
        or reconciliation.unit = 'USD' and reconciliation.ours <> {{ usd('coalesce(facts.amount, 0)') }}
        or reconciliation.unit = 'hours' and reconciliation.ours <> {{ hours('coalesce(facts.amount, 0)') }}
    )
