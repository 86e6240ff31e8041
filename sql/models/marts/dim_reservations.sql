with

reservations as (
    select * from {{ ref('int_reservations') }}
),

final as (
    select
        reservation_id,
        reservation_name,
        project_id,
        user_id,
        instance_type_id,
        instance_type_name,
        num_gpus,
        region,
        instance_quantity,
        status,
        placed_at,
        starts_at,
        ends_at,
        has_terms,
        is_listed,
        as_of
    from reservations
)

select * from final
