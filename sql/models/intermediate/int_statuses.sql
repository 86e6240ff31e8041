{{ config(materialized='table') }}

with

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
    where withdrawn_at is null
),

policy as (
    select * from {{ ref('status_policy') }}
),

seen_statuses as (
    select distinct status from status_events
),

unforeseen_statuses as (
    select seen_statuses.status
    from seen_statuses
    left join policy on seen_statuses.status = policy.status
    where policy.status is null
),

final as (
    select
        policy.status,
        true as is_known_status,
        policy.lifecycle_order,
        policy.phase,
        policy.is_up,
        policy.is_billed_on_spot,
        policy.is_planned,
        policy.is_down,
        policy.ends_story
    from policy
    where policy.status <> '*'
    union all
    select
        unforeseen_statuses.status,
        false as is_known_status,
        policy.lifecycle_order,
        policy.phase,
        policy.is_up,
        policy.is_billed_on_spot,
        policy.is_planned,
        policy.is_down,
        policy.ends_story
    from unforeseen_statuses
    inner join policy on policy.status = '*'
)

select * from final
