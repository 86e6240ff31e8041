-- Each charge whose cost is known is one row of both versions, with its cost: from the first on that may be new.
with

charges as (
    select
        charge_kind as kind,
        count(*) as charges,
        sum(billed_cost_cent_us) as billed_cost_cent_us,
        sum(effective_cost_cent_us) as effective_cost_cent_us
    from {{ ref('fct_charges') }}
    where cost_cent_us is not null and {{ since_first_change('hour_at') }}
    group by charge_kind
),

told as (
    {% for version in ('1_2', '1_4') %}
        select
            '{{ version }}' as version,
            {{ focus('x_ChargeKind') }} as kind,
            count(*) as charges,
            sum({{ focus('BilledCost') }}) as billed_usd,
            sum({{ focus('EffectiveCost') }}) as effective_usd
        from {{ ref('focus_' ~ version) }}
        where {{ since_first_change(focus('x_BookedAt')) }}
        group by {{ focus('x_ChargeKind') }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

versions as (
    select '1_2' as version
    union all
    select '1_4' as version
),

expected as (
    select
        versions.version,
        charges.*
    from charges
    cross join versions
)

-- Each row is rounded at the 12th place.
select
    coalesce(expected.version, told.version) as version,
    coalesce(expected.kind, told.kind) as kind
from expected
full outer join told
    on expected.version = told.version
    and expected.kind = told.kind
where
    expected.kind is null
    or told.kind is null
    or expected.charges <> told.charges
    or abs({{ usd('expected.billed_cost_cent_us') }} - told.billed_usd) > 0.000000000001 * expected.charges
    or abs({{ usd('expected.effective_cost_cent_us') }} - told.effective_usd) > 0.000000000001 * expected.charges
