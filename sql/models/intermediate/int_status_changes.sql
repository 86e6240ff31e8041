{{ config(materialized='table') }}

with

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
    where withdrawn_at is null
),

instances as (
    select * from {{ ref('int_instances') }}
),

statuses as (
    select * from {{ ref('int_statuses') }}
),

known_events as (
    select
        status_events.instance_id,
        status_events.occurred_at,
        status_events.status,
        statuses.lifecycle_order,
        instances.as_of
    from status_events
    inner join instances on status_events.instance_id = instances.instance_id
    inner join statuses on status_events.status = statuses.status
    where status_events.occurred_at < instances.as_of
),

-- At equal timestamps the last in the lifecycle holds; the others, and exact duplicates, last no time.
timed_events as (
    select
        *,
        lead(occurred_at, 1, as_of) over (
            partition by instance_id order by occurred_at, lifecycle_order, status
        ) as next_event_at
    from known_events
),

lasting_events as (
    select
        *,
        lag(status, 1, '') over (partition by instance_id order by occurred_at) as status_before
    from timed_events
    where occurred_at < next_event_at
),

changes as (
    select
        instance_id,
        status,
        occurred_at as started_at,
        as_of,
        lead(occurred_at, 1, as_of) over (partition by instance_id order by occurred_at) as ended_at,
        nullif(status_before, '') as previous_status,
        lead(status) over (partition by instance_id order by occurred_at) as next_status,
        min(case when status = 'RUNNING' then occurred_at end) over (
            partition by instance_id order by occurred_at
            rows between 1 following and unbounded following
        ) as next_running_at
    from lasting_events
    where status <> status_before
),

final as (
    select
        changes.instance_id,
        instances.project_id,
        changes.status,
        statuses.phase,
        statuses.is_known_status,
        statuses.is_up,
        statuses.is_billed_on_spot and instances.order_type = 'spot' as is_billed,
        statuses.is_planned,
        statuses.is_down,
        statuses.ends_story,
        changes.started_at,
        changes.ended_at,
        changes.next_status is null as is_open,
        {{ us_between('changes.started_at', 'changes.ended_at') }} as duration_us,
        changes.previous_status,
        changes.next_status,
        changes.next_running_at
    from changes
    inner join instances on changes.instance_id = instances.instance_id
    inner join statuses on changes.status = statuses.status
)

select * from final
