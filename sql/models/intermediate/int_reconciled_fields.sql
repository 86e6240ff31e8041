{{ config(materialized='table') }}

with

summaries as (
    select * from {{ ref('int_usage_summaries') }}
),

figures as (
    select * from {{ ref('int_summary_figures') }}
),

-- Money in cent-microseconds, time in microseconds: whole numbers, so that nothing is rounded before it is compared.
fields as (
    {% for field, unit, vendors, ours in (
        ('committed_cost_usd', 'cents', 'committed_cost', 'committed_cost'),
        ('flex_use_credits_usd', 'cents', 'flex_use_credits', 'pause_credit'),
        ('early_termination_credits_usd', 'cents', 'early_termination_credits', 'return_credit'),
        ('net_cost_usd', 'cents', 'net_cost', 'net_cost'),
        ('reserved_instance_hours', 'us', 'reserved_instance', 'reserved'),
        ('active_instance_hours', 'us', 'active_instance', 'active'),
        ('idle_instance_hours', 'us', 'idle_instance', 'idle'),
    ) %}
        select
            summaries.reservation_id,
            summaries.project_id,
            summaries.vendor_as_of,
            '{{ field }}' as field,
            {{ loop.index }} as field_order,
            '{{ "USD" if unit == "cents" else "hours" }}' as unit,
            {{ wide('figures.' ~ ours ~ ('_cent_us' if unit == 'cents' else '_us')) }} as ours,
            {{ wide('summaries.' ~ vendors ~ '_' ~ unit) }} * {{ seconds_us(3600) if unit == 'cents' else 1 }}
                as vendors,
            {{ seconds_us(3600) if unit == 'cents' else 3600000 }} as tolerance
        from summaries
        inner join figures on summaries.reservation_id = figures.reservation_id
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

final as (
    select
        *,
        abs(ours - vendors) <= tolerance as agrees
    from fields
)

select * from final
