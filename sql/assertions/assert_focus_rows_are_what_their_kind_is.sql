-- Of each row that may be new: category, nulls, signs, costs and periods are its kind's, price x quantity is the cost.
with

charges as (
    select
        *,
        {{ focus('x_ChargeKind') }} as kind,
        {{ focus('x_ChargeKind') }} in ('pause_credit', 'return_credit') as is_credit,
        {{ focus('x_ChargeKind') }} in ('spot_usage', 'reserved_used') as is_used,
        {{ focus('x_ChargeKind') }} in ('reserved_idle', 'return_writeoff', 'cut_writeoff') as is_unused,
        {{ us_between(focus('ChargePeriodStart'), focus('ChargePeriodEnd')) }} as length_us,
        abs(
            cast({{ focus('ListUnitPrice') }} as decimal(19, 12))
            * cast({{ focus('PricingQuantity') }} as decimal(19, 12))
            - {{ focus('ListCost') }}
        ) as price_difference
    from {{ ref('focus_1_4') }}
    where {{ since_first_change(focus('x_BookedAt')) }}
)

select * from charges
where
    -- what it is
    {{ focus('ChargeCategory') }} <> case
        when is_used or is_unused then 'Usage'
        when is_credit then 'Credit'
        when kind = 'reservation_purchase' then 'Purchase'
        when kind = 'reserved_rest' then 'Adjustment'
        else 'of no kind'
    end
    or {{ focus('ChargeFrequency') }}
    <> case when kind in ('reservation_purchase', 'return_credit') then 'One-Time' else 'Usage-Based' end
    or coalesce({{ focus('PricingCategory') }}, '') <> case
        when kind = 'spot_usage' then 'Dynamic'
        when kind = 'reservation_purchase' then 'Standard'
        when is_used or is_unused then 'Committed'
        else ''
    end
    or coalesce({{ focus('CommitmentDiscountStatus') }}, '')
    <> case when kind = 'reserved_used' then 'Used' when is_unused then 'Unused' else '' end
    -- what it has, and has not
    or {{ focus('BilledCost') }} is null
    or {{ focus('EffectiveCost') }} is null
    or {{ focus('ListCost') }} is null
    or {{ focus('ContractedCost') }} is null
    or {{ focus('BillingAccountId') }} is null
    or {{ focus('SubAccountId') }} is null
    or {{ focus('ResourceId') }} is null
    or {{ focus('x_ChargeId') }} is null
    or coalesce({{ focus('BillingCurrency') }}, '') <> 'USD'
    or coalesce({{ focus('InvoiceIssuerName') }}, '') <> 'Mithril'
    or ({{ focus('CommitmentDiscountId') }} is null) <> (kind = 'spot_usage')
    or coalesce({{ focus('CommitmentDiscountId') }}, '') <> coalesce({{ focus('CapacityReservationId') }}, '')
    or coalesce({{ focus('CommitmentDiscountStatus') }}, '') <> coalesce({{ focus('CapacityReservationStatus') }}, '')
    or ({{ focus('PricingQuantity') }} is null) <> ({{ focus('PricingCategory') }} is null)
    or ({{ focus('PricingQuantity') }} is null) <> ({{ focus('PricingUnit') }} is null)
    or ({{ focus('PricingQuantity') }} is null) <> ({{ focus('ListUnitPrice') }} is null)
    or ({{ focus('ListUnitPrice') }} is null) <> ({{ focus('ContractedUnitPrice') }} is null)
    or ({{ focus('ConsumedQuantity') }} is null) <> ({{ focus('ConsumedUnit') }} is null)
    or ({{ focus('ConsumedQuantity') }} is not null and not is_used)
    or ({{ focus('CommitmentDiscountQuantity') }} is null)
    <> ({{ focus('PricingQuantity') }} is null or kind = 'spot_usage')
    or {{ focus('CommitmentDiscountQuantity') }} <> {{ focus('PricingQuantity') }}
    or ({{ focus('ContractApplied') }} is not null) <> (kind = 'reservation_purchase')
    or {{ focus('InvoiceId') }} is not null
    or {{ focus('ChargeClass') }} is not null
    -- what it costs
    or {{ focus('PricingQuantity') }} <= 0
    or {{ focus('ListUnitPrice') }} < 0
    or (is_credit and {{ focus('ListCost') }} > 0)
    or (not is_credit and kind <> 'reserved_rest' and {{ focus('ListCost') }} < 0)
    or {{ focus('ContractedCost') }} <> {{ focus('ListCost') }}
    or {{ focus('ContractedUnitPrice') }} <> {{ focus('ListUnitPrice') }}
    or {{ focus('BilledCost') }} <> case
        when kind in ('spot_usage', 'reservation_purchase') or is_credit then {{ focus('ListCost') }} else 0
    end
    or {{ focus('EffectiveCost') }} <> case when kind = 'reservation_purchase' then 0 else {{ focus('ListCost') }} end
    or {{ focus('PricingCurrencyEffectiveCost') }} <> {{ focus('EffectiveCost') }}
    or price_difference > 0.000000001 * greatest({{ focus('ListCost') }}, 1)
    -- when it is
    or length_us <= 0
    or (kind <> 'reservation_purchase' and length_us <> {{ seconds_us(3600) }})
    or (kind <> 'reservation_purchase' and {{ focus('ChargePeriodStart') }} <> {{ focus('x_BookedAt') }})
    or {{ focus('x_BookedAt') }} <> {{ hour_of(focus('x_BookedAt')) }}
    or {{ focus('BillingPeriodStart') }} <> {{ start_of('month', focus('x_BookedAt')) }}
    or {{ focus('BillingPeriodEnd') }} <> {{ months_after(focus('BillingPeriodStart'), 1) }}
