-- Each field of the vendor's summary, as we count it, is one sum over the rows of FOCUS; where all of them are known.
{% set summed_reservations = reservations_to_sum() %}
{% set has_summed = has_any(summed_reservations) %}
with

reconciliation as (
    select reconciliation.*
    from {{ ref('fct_reconciliation') }} as reconciliation
    inner join {{ ref('dim_projects') }} as projects
        on reconciliation.project_id = projects.project_id
        and reconciliation.vendor_as_of = projects.as_of
),

reconciled_reservations as (
    select distinct reconciliation.reservation_id
    from reconciliation
    inner join ({{ summed_reservations }}) as reservations
        on reconciliation.reservation_id = reservations.reservation_id
),

charges as (
    select
        {{ focus('CommitmentDiscountId') }} as reservation_id,
        {{ focus('ChargeCategory') }} as category,
        {{ focus('CommitmentDiscountStatus') }} as status,
        {{ focus('x_ChargeKind') }} as kind,
        {{ focus('BilledCost') }} as billed_usd,
        {{ focus('PricingQuantity') }} as quantity_hours
    from {{ ref('focus_1_4') }} as charges
    inner join reconciled_reservations
        on charges.{{ focus('CommitmentDiscountId') }} = reconciled_reservations.reservation_id
    where charges.{{ focus('x_ChargeKind') }} <> 'spot_usage' and {{ has_summed }}
),

unlike as (
    select distinct reservation_id
    from {{ ref('fct_charges') }}
    where
        charge_kind <> 'spot_usage'
        and (cost_cent_us is null or charge_kind = 'reserved_rest')
        and {{ has_summed }}
),

-- What was given back is charged with hours that are yet to come, and with those of a window that was cut.
given_back as (
    select
        reservation_id,
        sum(given_back_us) as given_back_us
    from {{ ref('fct_return_hours') }}
    where is_past
    group by reservation_id
),

sums as (
    select
        charges.reservation_id,
        sum(case when charges.category = 'Purchase' then charges.billed_usd else 0 end) as committed_cost_usd,
        -sum(case when charges.kind = 'pause_credit' then charges.billed_usd else 0 end) as flex_use_credits_usd,
        -sum(case when charges.kind = 'return_credit' then charges.billed_usd else 0 end)
            as early_termination_credits_usd,
        sum(charges.billed_usd) as net_cost_usd,
        sum(case when charges.status = 'Used' then charges.quantity_hours else 0 end) as active_instance_hours,
        sum(case when charges.kind = 'reserved_idle' then charges.quantity_hours else 0 end) as idle_hours
    from charges
    group by charges.reservation_id
),

all_sums as (
    select
        sums.*,
        sums.idle_hours + {{ hours('coalesce(given_back.given_back_us, 0)') }} as idle_instance_hours
    from sums
    left join given_back on sums.reservation_id = given_back.reservation_id
),

fields as (
    {% for field in (
        'committed_cost_usd', 'flex_use_credits_usd', 'early_termination_credits_usd', 'net_cost_usd',
        'active_instance_hours', 'idle_instance_hours',
    ) %}
        select
            reservation_id,
            '{{ field }}' as field,
            {{ field }} as told
        from all_sums
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

-- Each of a million rows is rounded at the 12th place.
select reconciliation.*
from reconciliation
inner join fields
    on reconciliation.reservation_id = fields.reservation_id
    and reconciliation.field = fields.field
left join unlike on reconciliation.reservation_id = unlike.reservation_id
where unlike.reservation_id is null and abs(reconciliation.ours - fields.told) > 0.000001
