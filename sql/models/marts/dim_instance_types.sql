with

instance_types as (
    select * from {{ ref('int_instance_types') }}
),

final as (
    select
        instance_type_id,
        instance_type_name,
        num_gpus,
        is_listed
    from instance_types
)

select * from final
