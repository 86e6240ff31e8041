{{ config(materialized='view') }}

with

commitments as (
    select
        *,
        {{ us_between('starts_at', 'ends_at') }} as length_us,
        min(starts_at) over (partition by reservation_id) as contract_starts_at,
        max(ends_at) over (partition by reservation_id) as contract_ends_at
    from {{ relocatable(ref('fct_commitments')) }}
),

reservations as (
    select * from {{ relocatable(ref('dim_reservations')) }}
),

told_commitments as (
    select
        commitments.*,
        reservations.reservation_name,
        case
            when reservations.status = 'Canceled' then 'Canceled'
            when commitments.ends_at <= reservations.as_of then 'Expired'
            when commitments.starts_at > reservations.as_of then 'Pending'
            else 'Active'
        end as lifecycle_status,
        case
            when commitments.ends_at <= reservations.as_of then commitments.ends_at
            when commitments.starts_at <= reservations.as_of
                then greatest(commitments.starts_at, commitments.placed_at)
            else commitments.placed_at
        end as changed_at
    from commitments
    inner join reservations on commitments.reservation_id = reservations.reservation_id
),

final as (
    select
        commitment_id as {{ focus('ContractCommitmentId') }},
        reservation_id as {{ focus('ContractId') }},
        'Usage' as {{ focus('ContractCommitmentCategory') }},
        'Flexible Reservation' as {{ focus('ContractCommitmentType') }},
        'Availability' as {{ focus('ContractCommitmentBenefitCategory') }},
        'Instances reserved, paid for when the reservation is placed' as {{ focus('ContractCommitmentDescription') }},
        committed_cost_usd as {{ focus('ContractCommitmentCost') }},
        committed_hours as {{ focus('ContractCommitmentQuantity') }},
        'Instance-Hours' as {{ focus('ContractCommitmentUnit') }},
        'USD' as {{ focus('BillingCurrency') }},
        'USD' as {{ focus('PricingCurrency') }},
        committed_cost_usd as {{ focus('PricingCurrencyContractCommitmentCost') }},
        cast(null as {{ amount() }}) as {{ focus('ContractCommitmentDiscountPercentage') }},
        case
            when mod(length_us, {{ seconds_us(3600) }}) = 0
                then cast({{ whole_quotient('length_us', seconds_us(3600)) }} as {{ text() }}) || ' Hours'
            else
                cast({{ whole_quotient('(length_us + ' ~ seconds_us(60) ~ ' - 1)', seconds_us(60)) }} as {{ text() }})
                || ' Minutes'
        end as {{ focus('ContractCommitmentDurationType') }},
        'Hourly' as {{ focus('ContractCommitmentFulfillmentInterval') }},
        'Continuous' as {{ focus('ContractCommitmentModel') }},
        'Public' as {{ focus('ContractCommitmentOfferCategory') }},
        'One-Time' as {{ focus('ContractCommitmentPaymentInterval') }},
        'All Upfront' as {{ focus('ContractCommitmentPaymentModel') }},
        lifecycle_status as {{ focus('ContractCommitmentLifecycleStatus') }},
        starts_at as {{ focus('ContractCommitmentPeriodStart') }},
        ends_at as {{ focus('ContractCommitmentPeriodEnd') }},
        contract_starts_at as {{ focus('ContractPeriodStart') }},
        contract_ends_at as {{ focus('ContractPeriodEnd') }},
        placed_at as {{ focus('ContractCommitmentCreated') }},
        greatest(changed_at, placed_at) as {{ focus('ContractCommitmentLastUpdated') }},
        '{"IsGlobalScope": false, "IsComplexScope": false, "InclusionOperator": "And", "Inclusions": '
        || '[{"Dimension": "CommitmentDiscountId", "Operator": "In", "Values": ['
        || {{ json_string('reservation_id') }} || ']}]}' as {{ focus('ContractCommitmentApplicability') }},
        'Mithril' as {{ focus('InvoiceIssuerName') }},
        'Mithril' as {{ focus('ServiceProviderName') }},
        reservation_name as {{ focus('x_ReservationName') }},
        project_id as {{ focus('x_ProjectId') }}
    from told_commitments
)

select * from final
