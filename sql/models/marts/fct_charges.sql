{{ config(materialized='view') }}

with

amounts as (
    select * from {{ relocatable(ref('fct_charge_amounts')) }}
),

kinds as (
    select * from {{ relocatable(ref('int_charge_kinds')) }}
),

instances as (
    select * from {{ relocatable(ref('dim_instances')) }}
),

reservations as (
    select * from {{ relocatable(ref('dim_reservations')) }}
),

market_hours as (
    select * from {{ relocatable(ref('int_market_hours')) }}
),

-- An instance with a bid and a reservation is on spot, and only that.
placed_amounts as (
    select
        amounts.*,
        kinds.is_billed,
        kinds.is_effective,
        kinds.is_consumed,
        case
            when amounts.charge_kind <> 'spot_usage' then coalesce(amounts.reservation_id, instances.reservation_id)
        end as of_reservation_id,
        case when amounts.instance_id is null then reservations.instance_type_id else instances.instance_type_id end
            as instance_type_id,
        case when amounts.instance_id is null then reservations.num_gpus else instances.num_gpus end as num_gpus,
        case when amounts.instance_id is null then reservations.region else instances.region end as region,
        case when kinds.has_quantity then amounts.charged_us end as quantity_us,
        -- As a column, so that the join is by equality alone: a condition of one side makes DuckDB compare all rows.
        case when amounts.charge_kind = 'spot_usage' then amounts.hour_at end as market_hour_at
    from amounts
    inner join kinds on amounts.charge_kind = kinds.charge_kind
    left join instances on amounts.instance_id = instances.instance_id
    left join reservations on amounts.reservation_id = reservations.reservation_id
),

final as (
    select
        charges.charge_id,
        charges.charge_kind,
        charges.project_id,
        charges.instance_id,
        charges.of_reservation_id as reservation_id,
        charges.commitment_id,
        charges.instance_type_id,
        charges.num_gpus,
        charges.region,
        charges.hour_at,
        {{ report_day('charges.hour_at') }} as day,
        {{ report_month('charges.hour_at') }} as month,
        charges.from_at,
        charges.to_at,
        charges.quantity_us,
        case when charges.is_consumed then charges.quantity_us * charges.num_gpus end as gpu_us,
        case when charges.cost_cent_us is null then charges.charged_us else 0 end + charges.unpriced_us as left_out_us,
        charges.cost_cent_us,
        {% for side in ('billed', 'effective') %}
            {{ wide('case when charges.is_' ~ side ~ ' then charges.cost_cent_us else 0 * charges.cost_cent_us end') }}
                as {{ side }}_cost_cent_us,
        {% endfor %}
        {{ usd_per_hour('charges.cost_cent_us', 'charges.quantity_us') }} as unit_price_usd,
        {{ usd_of_nanos('market_hours.reserved_price_nano_usd', 'charges.quantity_us') }} as reserved_reference_usd
    from placed_amounts as charges
    left join market_hours
        on charges.instance_type_id = market_hours.instance_type_id
        and charges.region = market_hours.region
        and charges.market_hour_at = market_hours.hour_at
)

select * from final
