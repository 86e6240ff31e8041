{{ config(materialized='incremental', pre_hook="{{ forget() }}") }}

with

phase_hours as (
    select * from {{ ref('int_phase_hours') }}
),

instances as (
    select * from {{ ref('int_instances') }}
),

spot_cost_hours as (
    select * from {{ ref('int_spot_cost_hours') }}
),

reserved_use_hours as (
    select * from {{ ref('int_reserved_use_hours') }}
),

credit_hours as (
    select * from {{ ref('int_credit_hours') }}
),

charged_hours as (
    select
        phase_hours.*,
        instances.project_id,
        phase_hours.up_us * instances.num_gpus as gpu_us,
        coalesce(spot.priced_us, 0) as priced_us,
        phase_hours.billed_us - coalesce(spot.priced_us, 0) as unpriced_us,
        coalesce(spot.spot_cost_cent_us, 0) as spot_cost_cent_us,
        {{ zero_unless('spot.instance_id', 'spot.near_limit_us') }} as near_limit_us,
        coalesce(used.reserved_used_us, 0) as reserved_used_us,
        {{ zero_unless('used.instance_id', 'used.allocated_cost_cent_us') }} as allocated_cost_cent_us,
        coalesce(credit.credited_us, 0) as credited_us,
        coalesce(credit.credited_unrated_us, 0) as credited_unrated_us,
        {{ zero_unless('credit.instance_id', 'credit.pause_credit_cent_us') }} as pause_credit_cent_us,
        coalesce(credit.short_paused_us, 0) as short_paused_us,
        {{ zero_unless('credit.instance_id', 'credit.short_pause_loss_cent_us') }} as short_pause_loss_cent_us,
        coalesce(credit.unclaimed_us, 0) as unclaimed_us,
        {{ zero_unless('credit.instance_id', 'credit.unclaimed_credit_cent_us') }} as unclaimed_credit_cent_us
    from phase_hours
    inner join instances on phase_hours.instance_id = instances.instance_id
    left join spot_cost_hours as spot
        on phase_hours.instance_id = spot.instance_id and phase_hours.hour_at = spot.hour_at
    left join reserved_use_hours as used
        on phase_hours.instance_id = used.instance_id and phase_hours.hour_at = used.hour_at
    left join credit_hours as credit
        on phase_hours.instance_id = credit.instance_id and phase_hours.hour_at = credit.hour_at
),

final as (
    select
        {{ span_key('instance_id', 'hour_at') }} as instance_hour_id,
        instance_id,
        project_id,
        hour_at,
        {{ report_day('hour_at') }} as day,
        {{ report_month('hour_at') }} as month,
        {% for phase in phases().split() %}
            {{ phase }}_us,
        {% endfor %}
        total_us,
        up_us,
        down_us,
        planned_us,
        gpu_us,
        billed_us,
        priced_us,
        unpriced_us,
        spot_cost_cent_us,
        near_limit_us,
        reserved_used_us,
        allocated_cost_cent_us,
        credited_us,
        credited_unrated_us,
        pause_credit_cent_us,
        short_paused_us,
        short_pause_loss_cent_us,
        unclaimed_us,
        unclaimed_credit_cent_us,
        {{ hours('up_us') }} as up_hours,
        {{ hours('gpu_us') }} as gpu_hours,
        {{ usd('spot_cost_cent_us') }} as spot_cost_usd,
        {{ usd('allocated_cost_cent_us') }} as allocated_cost_usd,
        {{ usd('pause_credit_cent_us') }} as pause_credit_usd
    from charged_hours
)

select * from final
