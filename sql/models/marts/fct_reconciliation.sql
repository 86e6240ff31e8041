with

fields as (
    select * from {{ ref('int_reconciled_fields') }}
),

fitting_readings as (
    select * from {{ ref('int_fitting_readings') }}
),

figures as (
    select * from {{ ref('int_summary_figures') }}
),

fits as (
    select
        reservation_id,
        field,
        {{ joined_texts("reading || ' fits: ' || words || ' (' || extent || ')'", '; or ', 'reading') }} as fitting
    from fitting_readings
    group by reservation_id, field
),

disagreeing_parts as (
    select
        reservation_id,
        {{ joined_texts('field', ' and ', 'field_order') }} as parts
    from fields
    where not agrees and unit = 'USD' and field <> 'net_cost_usd'
    group by reservation_id
),

explained_fields as (
    select
        fields.*,
        case
            when fields.agrees then null
            when fields.vendors is null then 'the vendor says nothing'
            when fields.ours is null and fields.field = 'committed_cost_usd' then 'no unit price is known'
            when fields.ours is null and fields.field = 'flex_use_credits_usd'
                then 'no pause rate is known for ' || {{ hours_in_words('figures.unrated_pause_us') }}
            when fields.ours is null and fields.field = 'early_termination_credits_usd'
                then 'no return rate is known for ' || {{ hours_in_words('figures.unrated_return_us') }}
            when fields.ours is null then 'a part of ours is not known'
            when fields.field = 'net_cost_usd' and disagreeing_parts.parts is null
                then 'its parts agree: each is rounded by itself'
            when fields.field = 'net_cost_usd' then 'follows from ' || disagreeing_parts.parts
            else coalesce(fits.fitting, 'none of the known readings fits')
        end as likely_cause
    from fields
    inner join figures on fields.reservation_id = figures.reservation_id
    left join fits on fields.reservation_id = fits.reservation_id and fields.field = fits.field
    left join disagreeing_parts on fields.reservation_id = disagreeing_parts.reservation_id
),

shown_fields as (
    select
        *,
        {% for side in ('ours', 'vendors') %}
            case when unit = 'USD' then {{ usd(side) }} else {{ hours(side) }} end as {{ side }}_shown
            {%- if not loop.last %},{% endif %}

        {% endfor %}
    from explained_fields
),

final as (
    select
        reservation_id || '#' || field as reconciliation_id,
        reservation_id,
        project_id,
        vendor_as_of,
        field,
        field_order,
        unit,
        ours_shown as ours,
        vendors_shown as vendors,
        {{ difference('ours_shown', 'vendors_shown') }} as difference,
        agrees,
        likely_cause
    from shown_fields
)

select * from final
