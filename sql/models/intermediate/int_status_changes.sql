{{ config(materialized='incremental', unique_key=['instance_id', 'started_at'], pre_hook="{{ forget_changes() }}") }}

with

known_events as (
    select * from {{ ref('int_known_events') }}
    where {{ since_first_settled('occurred_at') }}
),

instances as (
    select * from {{ ref('int_instances') }}
),

statuses as (
    select * from {{ ref('int_statuses') }}
),

settled_changes as (
    {{ settled_changes() }}
),

-- At equal timestamps the last in the lifecycle holds; the others, and exact duplicates, last no time.
timed_events as (
    select
        known_events.*,
        coalesce(settled_changes.status_before_settled, '') as status_before_all,
        coalesce(settled_changes.started_before_settled_at, {{ since_ever() }}) as started_before_all_at,
        lead(known_events.occurred_at, 1, known_events.as_of) over (
            partition by known_events.instance_id
            order by known_events.occurred_at, known_events.lifecycle_order, known_events.status
        ) as next_event_at
    from known_events
    left join settled_changes on known_events.instance_id = settled_changes.instance_id
    where known_events.occurred_at >= coalesce(settled_changes.settled_at, {{ since_ever() }})
),

lasting_events as (
    select
        *,
        lag(status, 1, status_before_all) over (partition by instance_id order by occurred_at) as status_before
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
        nullif(
            lag(occurred_at, 1, started_before_all_at) over (partition by instance_id order by occurred_at),
            {{ since_ever() }}
        ) as previous_started_at,
        lead(status) over (partition by instance_id order by occurred_at) as next_status,
        -- From the end, so that each is found from the one after it: what follows a row is not looked through for each.
        min(case when status = 'RUNNING' then occurred_at end) over (
            partition by instance_id order by occurred_at desc rows between unbounded preceding and 1 preceding
        ) as next_running_at,
        min(case when status not in ('NEW', 'CONFIRMED', 'INITIALIZING', 'STARTING') then occurred_at end) over (
            partition by instance_id order by occurred_at desc rows between unbounded preceding and 1 preceding
        ) as next_past_starting_at
    from lasting_events
    where status <> status_before
),

final as (
    select
        changes.instance_id,
        instances.project_id,
        case when instances.order_type = 'reserved' then instances.reservation_id end as reservation_id,
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
        changes.previous_started_at,
        changes.next_status,
        changes.next_running_at,
        changes.next_past_starting_at
    from changes
    inner join instances on changes.instance_id = instances.instance_id
    inner join statuses on changes.status = statuses.status
)

select * from final
