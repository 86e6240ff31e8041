with

kinds as (
    select * from {{ relocatable(ref('charge_kinds')) }}
),

final as (
    select
        charge_kind,
        charge_category,
        charge_frequency,
        pricing_category,
        commitment_status,
        resource = 'instance' as is_of_instance,
        is_billed,
        is_effective,
        has_quantity,
        is_consumed,
        words
    from kinds
)

select * from final
