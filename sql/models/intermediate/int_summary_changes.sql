{{ config(materialized='table') }}

with

status_changes as (
    select * from {{ ref('int_status_changes') }}
    where status in ('PAUSED', 'TERMINATED')
),

summaries as (
    select * from {{ ref('int_usage_summaries') }}
),

-- What began at the vendor's instant or later was not known then.
final as (
    select
        status_changes.reservation_id,
        summaries.vendor_as_of as known_at,
        status_changes.instance_id,
        status_changes.status,
        status_changes.started_at,
        least(status_changes.ended_at, summaries.vendor_as_of) as ended_at,
        case
            when status_changes.previous_status = 'STOPPING' then status_changes.previous_started_at
            else status_changes.started_at
        end as from_stopping_at,
        least(
            coalesce(status_changes.next_past_starting_at, summaries.vendor_as_of), summaries.vendor_as_of
        ) as until_running_at
    from status_changes
    inner join summaries on status_changes.reservation_id = summaries.reservation_id
    where
        status_changes.started_at < summaries.vendor_as_of
        and (
            status_changes.status = 'PAUSED'
            or status_changes.next_status is null
            or status_changes.ended_at >= summaries.vendor_as_of
        )
)

select * from final
