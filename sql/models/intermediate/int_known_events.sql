with

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
    where withdrawn_at is null
),

instances as (
    select * from {{ ref('int_instances') }}
),

changed_instances as (
    select * from {{ ref('int_changed_instances') }}
    where hours_from_at is not null
),

statuses as (
    select * from {{ ref('int_statuses') }}
),

final as (
    select
        status_events.instance_id,
        status_events.occurred_at,
        status_events.status,
        statuses.lifecycle_order,
        instances.as_of
    from status_events
    inner join instances on status_events.instance_id = instances.instance_id
    inner join changed_instances on status_events.instance_id = changed_instances.instance_id
    inner join statuses on status_events.status = statuses.status
    where status_events.occurred_at < instances.as_of
)

select * from final
