with

instances as (
    select * from {{ ref('int_instances') }}
),

bids as (
    select * from {{ ref('int_listed_bids') }}
),

status_changes as (
    select * from {{ ref('int_status_changes') }}
    where is_open
),

final as (
    select
        instances.instance_id,
        instances.instance_name,
        instances.project_id,
        instances.order_type,
        instances.order_id,
        instances.bid_id,
        instances.reservation_id,
        instances.user_id,
        instances.instance_type_id,
        instances.instance_type_name,
        instances.num_gpus,
        instances.region,
        instances.listed_status,
        instances.is_listed,
        instances.created_at,
        instances.first_event_at,
        status_changes.started_at as last_event_at,
        instances.as_of,
        bids.bid_name
    from instances
    left join bids on instances.bid_id = bids.bid_id
    left join status_changes on instances.instance_id = status_changes.instance_id
)

select * from final
