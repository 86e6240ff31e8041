with

spell_hours as (
    select * from {{ ref('int_spell_hours') }}
),

final as (
    select
        instance_id,
        hour_at,
        {% for phase in phases().split() %}
            cast(sum(case when phase = '{{ phase }}' then piece_us else 0 end) as bigint) as {{ phase }}_us,
        {% endfor %}
        cast(sum(piece_us) as bigint) as total_us,
        cast(sum(case when is_up then piece_us else 0 end) as bigint) as up_us,
        cast(sum(case when is_down then piece_us else 0 end) as bigint) as down_us,
        cast(sum(case when is_planned then piece_us else 0 end) as bigint) as planned_us,
        cast(sum(case when is_billed then piece_us else 0 end) as bigint) as billed_us
    from spell_hours
    group by instance_id, hour_at
)

select * from final
