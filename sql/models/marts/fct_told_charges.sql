{{ config(materialized='view') }}

with

charges as (
    select * from {{ relocatable(ref('fct_charges')) }}
    where cost_cent_us is not null
),

kinds as (
    select * from {{ relocatable(ref('int_charge_kinds')) }}
),

projects as (
    select * from {{ relocatable(ref('dim_projects')) }}
),

instances as (
    select * from {{ relocatable(ref('dim_instances')) }}
),

reservations as (
    select * from {{ relocatable(ref('dim_reservations')) }}
),

instance_types as (
    select * from {{ relocatable(ref('dim_instance_types')) }}
),

final as (
    select
        charges.charge_id,
        charges.charge_kind,
        charges.project_id,
        projects.project_name,
        charges.instance_id,
        charges.reservation_id,
        reservations.reservation_name,
        charges.commitment_id,
        instances.order_id,
        coalesce(instances.user_id, reservations.user_id) as user_id,
        case when kinds.is_of_instance then charges.instance_id else charges.reservation_id end as resource_id,
        case when kinds.is_of_instance then instances.instance_name else reservations.reservation_name end
            as resource_name,
        case when kinds.is_of_instance then 'Instance' else 'Reservation' end as resource_type,
        charges.instance_type_id,
        instance_types.instance_type_name,
        charges.num_gpus,
        charges.region,
        kinds.charge_category,
        kinds.charge_frequency,
        kinds.pricing_category,
        kinds.commitment_status,
        kinds.words,
        charges.hour_at,
        charges.from_at,
        charges.to_at,
        {{ hours('charges.quantity_us') }} as quantity_hours,
        {{ hours('charges.gpu_us') }} as gpu_hours,
        charges.unit_price_usd,
        charges.reserved_reference_usd,
        {{ usd('charges.cost_cent_us') }} as cost_usd,
        {{ usd('charges.billed_cost_cent_us') }} as billed_cost_usd,
        {{ usd('charges.effective_cost_cent_us') }} as effective_cost_usd
    from charges
    inner join kinds on charges.charge_kind = kinds.charge_kind
    left join projects on charges.project_id = projects.project_id
    left join instances on charges.instance_id = instances.instance_id
    left join reservations on charges.reservation_id = reservations.reservation_id
    left join instance_types on charges.instance_type_id = instance_types.instance_type_id
)

select * from final
