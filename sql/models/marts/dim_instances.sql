with

instances as (
    select * from {{ ref('int_instances') }}
),

final as (
    select
        instance_id,
        instance_name,
        project_id,
        order_type,
        order_id,
        bid_id,
        reservation_id,
        user_id,
        instance_type_id,
        instance_type_name,
        num_gpus,
        region,
        listed_status,
        is_listed,
        created_at,
        first_event_at,
        last_event_at,
        as_of
    from instances
)

select * from final
