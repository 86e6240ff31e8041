{{ config(materialized='incremental', pre_hook=["{{ forget() }}", "{{ forget_unowned() }}"]) }}

with

reservation_hours as (
    select * from {{ ref('fct_reservation_hours') }}
),

instances as (
    select * from {{ ref('dim_instances') }}
),

instance_hours as (
    {{ recounted(ref('fct_instance_hours'), 'day', 'hours_from_at') }}
),

instance_days as (
    select
        instance_hours.instance_id as owner_id,
        'instance' as cost_kind,
        instance_hours.project_id,
        instance_hours.instance_id,
        instances.reservation_id,
        instances.bid_id,
        instance_hours.day,
        instance_hours.month,
        sum(instance_hours.billed_us) as billed_us,
        sum(instance_hours.unpriced_us) as unpriced_us,
        sum(instance_hours.gpu_us) as gpu_us,
        sum(instance_hours.spot_cost_cent_us) as spot_cost_cent_us,
        {{ sum_known('instance_hours.allocated_cost_cent_us', 'instance_hours.reserved_used_us') }}
            as allocated_cost_cent_us,
        {{ sum_known('instance_hours.pause_credit_cent_us', 'instance_hours.credited_us') }}
            as pause_credit_cent_us
    from instance_hours
    inner join instances on instance_hours.instance_id = instances.instance_id
    group by
        instance_hours.instance_id, instance_hours.project_id, instances.reservation_id, instances.bid_id,
        instance_hours.day, instance_hours.month
),

unused_days as (
    select
        reservation_id as owner_id,
        'unused' as cost_kind,
        project_id,
        cast(null as {{ text() }}) as instance_id,
        reservation_id,
        cast(null as {{ text() }}) as bid_id,
        day,
        month,
        0 as billed_us,
        0 as unpriced_us,
        0 as gpu_us,
        0 as spot_cost_cent_us,
        {{ sum_known('allocated_unused_cent_us', 'reserved_us') }} as allocated_cost_cent_us,
        0 as pause_credit_cent_us
    from reservation_hours
    group by reservation_id, project_id, day, month
),

cost_days as (
    select * from instance_days
    union all
    select * from unused_days
),

final as (
    select
        {{ span_key('owner_id', 'day') }} as cost_day_id,
        day,
        month,
        project_id,
        instance_id,
        reservation_id,
        bid_id,
        cost_kind,
        cast(billed_us as bigint) as billed_us,
        cast(unpriced_us as bigint) as unpriced_us,
        cast(gpu_us as bigint) as gpu_us,
        spot_cost_cent_us,
        allocated_cost_cent_us,
        pause_credit_cent_us,
        {{ net_cent_us() }} as net_cost_cent_us,
        {{ hours('billed_us') }} as billed_hours,
        {{ hours('unpriced_us') }} as unpriced_hours,
        {{ hours('gpu_us') }} as gpu_hours,
        {{ usd('spot_cost_cent_us') }} as spot_cost_usd,
        {{ usd('allocated_cost_cent_us') }} as allocated_cost_usd,
        {{ usd('pause_credit_cent_us') }} as pause_credit_usd,
        {{ usd('(' ~ net_cent_us() ~ ')') }} as net_cost_usd
    from cost_days
)

select * from final
