{{ config(materialized='view') }}

with

instance_hours as (
    select * from {{ relocatable(ref('fct_instance_hours')) }}
),

commitment_charges as (
    select * from {{ relocatable(ref('int_commitment_charges')) }}
),

reservation_charges as (
    select * from {{ relocatable(ref('fct_reservation_charges')) }}
),

final as (
    {% for kind, charged, unpriced, cost in (
        ('spot_usage', 'priced_us', 'unpriced_us', 'case when priced_us > 0 then spot_cost_cent_us end'),
        ('reserved_used', 'reserved_used_us', '0', 'allocated_cost_cent_us'),
        ('pause_credit', 'credited_us', '0', '-pause_credit_cent_us'),
    ) %}
        select
            '{{ kind }} ' || instance_hour_id as charge_id,
            '{{ kind }}' as charge_kind,
            instance_id,
            cast(null as {{ text() }}) as reservation_id,
            cast(null as {{ text() }}) as commitment_id,
            project_id,
            hour_at,
            hour_at as from_at,
            {{ next_hour('hour_at') }} as to_at,
            {{ charged }} as charged_us,
            cast({{ unpriced }} as bigint) as unpriced_us,
            {{ wide(cost) }} as cost_cent_us
        from instance_hours
        where {{ charged }} > 0 or {{ unpriced }} > 0
        union all
    {% endfor %}
    select
        charge_id,
        charge_kind,
        instance_id,
        reservation_id,
        cast(null as {{ text() }}) as commitment_id,
        project_id,
        hour_at,
        hour_at as from_at,
        {{ next_hour('hour_at') }} as to_at,
        charged_us,
        cast(0 as bigint) as unpriced_us,
        cost_cent_us
    from reservation_charges
    union all
    select
        charge_id,
        charge_kind,
        cast(null as {{ text() }}) as instance_id,
        reservation_id,
        commitment_id,
        project_id,
        hour_at,
        from_at,
        to_at,
        charged_us,
        cast(0 as bigint) as unpriced_us,
        cost_cent_us
    from commitment_charges
)

select * from final
