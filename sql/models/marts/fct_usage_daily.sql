{{ config(materialized='incremental', pre_hook="{{ forget() }}") }}

with

instance_hours as (
    {{ recounted(ref('fct_instance_hours'), 'day', 'hours_from_at') }}
),

days as (
    select
        instance_id,
        project_id,
        day,
        month,
        {% for phase in phases().split() %}
            cast(sum({{ phase }}_us) as bigint) as {{ phase }}_us,
        {% endfor %}
        cast(sum(up_us) as bigint) as up_us,
        cast(sum(total_us) as bigint) as total_us,
        cast(sum(gpu_us) as bigint) as gpu_us
    from instance_hours
    group by instance_id, project_id, day, month
),

final as (
    select
        {{ span_key('instance_id', 'day') }} as usage_day_id,
        instance_id,
        project_id,
        day,
        month,
        {% for phase in phases().split() %}
            {{ phase }}_us,
        {% endfor %}
        up_us,
        total_us,
        gpu_us,
        {% for phase in phases().split() %}
            {{ hours(phase ~ '_us') }} as {{ phase }}_hours,
        {% endfor %}
        {{ hours('up_us') }} as up_hours,
        {{ hours('total_us') }} as total_hours,
        {{ hours('gpu_us') }} as gpu_hours
    from days
)

select * from final
