{{ config(materialized='table') }}

with

status_changes as (
    select * from {{ ref('int_status_changes') }}
),

instances as (
    select * from {{ ref('int_instances') }}
    where order_type = 'reserved'
),

summaries as (
    select * from {{ ref('int_usage_summaries') }}
),

known_changes as (
    select
        instances.reservation_id,
        summaries.vendor_as_of as known_at,
        status_changes.instance_id,
        status_changes.status,
        status_changes.started_at,
        least(status_changes.ended_at, summaries.vendor_as_of) as ended_at
    from status_changes
    inner join instances on status_changes.instance_id = instances.instance_id
    inner join summaries on instances.reservation_id = summaries.reservation_id
    where status_changes.started_at < summaries.vendor_as_of
),

neighbours as (
    select
        *,
        lag(status) over (partition by instance_id order by started_at) as status_before,
        lag(started_at) over (partition by instance_id order by started_at) as started_before_at,
        lead(started_at) over (partition by instance_id order by started_at) as next_started_at,
        min(case when status not in ('NEW', 'CONFIRMED', 'INITIALIZING', 'STARTING') then started_at end) over (
            partition by instance_id order by started_at
            rows between 1 following and unbounded following
        ) as next_other_at
    from known_changes
),

final as (
    select
        reservation_id,
        known_at,
        instance_id,
        status,
        started_at,
        ended_at,
        case when status_before = 'STOPPING' then started_before_at else started_at end as from_stopping_at,
        coalesce(next_other_at, known_at) as until_running_at
    from neighbours
    where status = 'PAUSED' or (status = 'TERMINATED' and next_started_at is null)
)

select * from final
