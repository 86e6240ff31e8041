with

history_days as (
    select * from {{ ref('int_history_days') }}
    where is_held
),

projects as (
    select * from {{ ref('int_projects') }}
),

known_days as (
    select
        history_days.*,
        coalesce(history_days.first_told_at < projects.as_of, false) as is_known,
        coalesce(history_days.first_event_at < projects.as_of, false) as has_known_event
    from history_days
    left join projects on history_days.project_id = projects.project_id
),

final as (
    select
        instance_id,
        max(project_id) as project_id,
        max(case when is_known then bid_id end) as bid_id,
        max(case when is_known then reservation_id end) as reservation_id,
        min(case when has_known_event then first_event_at end) as first_event_at,
        min(case when is_known then first_told_at end) as first_told_at
    from known_days
    group by instance_id
)

select * from final
