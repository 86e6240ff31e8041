with

kinds as (
    select * from {{ relocatable(ref('charge_kinds')) }}
),

final as (
    select
        charge_kind,
        charge_category,
        charge_frequency,
        {{ of_seed('pricing_category') }} as pricing_category,
        {{ of_seed('commitment_status') }} as commitment_status,
        resource = 'instance' as is_of_instance,
        is_billed,
        is_effective,
        has_quantity,
        is_consumed,
        words
    from kinds
)

select * from final
