{{ config(materialized='view') }}

with

charges as (
    select
        *,
        {{ start_of('month', 'hour_at') }} as billed_from_at,
        case when quantity_hours is not null then 'Instance-Hours' end as quantity_unit,
        {{ sku_price() }} as sku_price_id,
        case
            when charge_kind = 'reservation_purchase'
                then {{ contract_applied('reservation_id', 'commitment_id', 'cost_usd') }}
        end as contract_applied
    from {{ relocatable(ref('fct_told_charges')) }}
),

final as (
    select
        billed_cost_usd as {{ focus('BilledCost') }},
        effective_cost_usd as {{ focus('EffectiveCost') }},
        cost_usd as {{ focus('ListCost') }},
        cost_usd as {{ focus('ContractedCost') }},
        effective_cost_usd as {{ focus('PricingCurrencyEffectiveCost') }},
        'USD' as {{ focus('BillingCurrency') }},
        'USD' as {{ focus('PricingCurrency') }},
        {{ billing_account('project_id') }} as {{ focus('BillingAccountId') }},
        'Organization' as {{ focus('BillingAccountType') }},
        project_id as {{ focus('SubAccountId') }},
        project_name as {{ focus('SubAccountName') }},
        'Project' as {{ focus('SubAccountType') }},
        'Mithril' as {{ focus('InvoiceIssuerName') }},
        'Mithril' as {{ focus('ServiceProviderName') }},
        billed_from_at as {{ focus('BillingPeriodStart') }},
        {{ months_after('billed_from_at', 1) }} as {{ focus('BillingPeriodEnd') }},
        from_at as {{ focus('ChargePeriodStart') }},
        to_at as {{ focus('ChargePeriodEnd') }},
        charge_category as {{ focus('ChargeCategory') }},
        charge_frequency as {{ focus('ChargeFrequency') }},
        words as {{ focus('ChargeDescription') }},
        'Compute' as {{ focus('ServiceCategory') }},
        'Virtual Machines' as {{ focus('ServiceSubcategory') }},
        'Mithril Compute' as {{ focus('ServiceName') }},
        instance_type_id as {{ focus('SkuId') }},
        case when instance_type_id is not null then 'Instance time' end as {{ focus('SkuMeter') }},
        sku_price_id as {{ focus('SkuPriceId') }},
        case when sku_price_id is not null then '{"GpuCount": ' || cast(num_gpus as {{ text() }}) || '}' end
            as {{ focus('SkuPriceDetails') }},
        pricing_category as {{ focus('PricingCategory') }},
        quantity_hours as {{ focus('PricingQuantity') }},
        quantity_unit as {{ focus('PricingUnit') }},
        unit_price_usd as {{ focus('ListUnitPrice') }},
        unit_price_usd as {{ focus('ContractedUnitPrice') }},
        unit_price_usd as {{ focus('PricingCurrencyListUnitPrice') }},
        unit_price_usd as {{ focus('PricingCurrencyContractedUnitPrice') }},
        gpu_hours as {{ focus('ConsumedQuantity') }},
        case when gpu_hours is not null then 'GPU-Hours' end as {{ focus('ConsumedUnit') }},
        resource_id as {{ focus('ResourceId') }},
        resource_name as {{ focus('ResourceName') }},
        resource_type as {{ focus('ResourceType') }},
        region as {{ focus('RegionId') }},
        region as {{ focus('RegionName') }},
        case when reservation_id is not null then 'Usage' end as {{ focus('CommitmentDiscountCategory') }},
        reservation_id as {{ focus('CommitmentDiscountId') }},
        reservation_name as {{ focus('CommitmentDiscountName') }},
        case when reservation_id is not null then 'Flexible Reservation' end as {{ focus('CommitmentDiscountType') }},
        commitment_status as {{ focus('CommitmentDiscountStatus') }},
        case when reservation_id is not null then quantity_hours end as {{ focus('CommitmentDiscountQuantity') }},
        case when reservation_id is not null then quantity_unit end as {{ focus('CommitmentDiscountUnit') }},
        reservation_id as {{ focus('CapacityReservationId') }},
        commitment_status as {{ focus('CapacityReservationStatus') }},
        contract_applied as {{ focus('ContractApplied') }},
        {{ focus_unknown([
            'BillingAccountName', 'InvoiceId', 'HostProviderName', 'ChargeClass', 'AvailabilityZone',
            'CommitmentProgramEligibilityDetails', 'AllocatedMethodId', 'AllocatedResourceId',
            'AllocatedResourceName', 'Tags'
        ]) }},
        charge_id as {{ focus('x_ChargeId') }},
        charge_kind as {{ focus('x_ChargeKind') }},
        hour_at as {{ focus('x_BookedAt') }},
        instance_id as {{ focus('x_InstanceId') }},
        instance_type_name as {{ focus('x_InstanceTypeName') }},
        order_id as {{ focus('x_OrderId') }},
        user_id as {{ focus('x_UserId') }},
        commitment_id as {{ focus('x_CommitmentId') }},
        reserved_reference_usd as {{ focus('x_ReservedReferenceCost') }}
    from charges
)

select * from final
