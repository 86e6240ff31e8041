{{ config(materialized='table') }}

with

reservations as (
    select * from {{ ref('int_listed_reservations') }}
),

reservation_events as (
    select * from {{ ref('int_reservation_events') }}
),

grants as (
    select * from {{ ref('int_newest_grants') }}
),

summaries as (
    select * from {{ ref('int_usage_summaries') }}
),

projects as (
    select * from {{ ref('int_projects') }}
),

named_reservations as (
    select
        reservation_id,
        project_id
    from reservations
    union distinct
    select
        reservation_id,
        project_id
    from reservation_events
    union distinct
    select
        reservation_id,
        project_id
    from grants
    union distinct
    select
        reservation_id,
        project_id
    from summaries
),

owned_reservations as (
    select
        reservation_id,
        max(project_id) as project_id
    from named_reservations
    group by reservation_id
),

instants as (
    select
        owned_reservations.reservation_id,
        owned_reservations.project_id,
        projects.as_of as known_at
    from owned_reservations
    inner join projects on owned_reservations.project_id = projects.project_id
    where projects.as_of is not null
    union distinct
    select
        owned_reservations.reservation_id,
        owned_reservations.project_id,
        summaries.vendor_as_of as known_at
    from owned_reservations
    inner join summaries on owned_reservations.reservation_id = summaries.reservation_id
),

final as (
    select
        instants.reservation_id,
        instants.project_id,
        instants.known_at,
        instants.known_at = projects.as_of as is_as_of
    from instants
    inner join projects on instants.project_id = projects.project_id
)

select * from final
