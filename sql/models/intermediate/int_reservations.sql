{{ config(materialized='table') }}

with

reservations as (
    select * from {{ ref('int_listed_reservations') }}
),

milestones as (
    select * from {{ ref('int_reservation_milestones') }}
),

grants as (
    select * from {{ ref('int_granted_terms') }}
    where is_as_of
),

projects as (
    select * from {{ ref('int_projects') }}
),

instance_types as (
    select * from {{ ref('int_instance_types') }}
),

granted as (
    select
        reservation_id,
        max(project_id) as project_id,
        min(starts_at) as first_starts_at,
        max(ends_at) as last_ends_at
    from grants
    group by reservation_id
),

named_reservations as (
    select reservation_id from reservations
    union distinct
    select reservation_id from milestones
    union distinct
    select reservation_id from granted
),

told_reservations as (
    select
        named_reservations.reservation_id,
        listed.reservation_name,
        coalesce(listed.project_id, milestones.project_id, granted.project_id) as project_id,
        listed.user_id,
        listed.instance_type_id,
        listed.region,
        listed.instance_quantity,
        listed.unit_price_usd,
        listed.status,
        coalesce(milestones.placed_at, listed.created_at, milestones.first_event_at) as placed_at,
        coalesce(listed.starts_at, granted.first_starts_at, milestones.active_at) as starts_at,
        coalesce(listed.ends_at, granted.last_ends_at, milestones.cut_at) as planned_ends_at,
        milestones.cut_at,
        coalesce(milestones.is_priced, false) or granted.reservation_id is not null as has_terms,
        coalesce(listed.is_listed, false) as is_listed
    from named_reservations
    left join reservations as listed on named_reservations.reservation_id = listed.reservation_id
    left join milestones on named_reservations.reservation_id = milestones.reservation_id
    left join granted on named_reservations.reservation_id = granted.reservation_id
),

final as (
    select
        told_reservations.*,
        least(
            told_reservations.planned_ends_at,
            coalesce(told_reservations.cut_at, told_reservations.planned_ends_at)
        ) as ends_at,
        instance_types.instance_type_name,
        instance_types.num_gpus,
        projects.as_of
    from told_reservations
    left join instance_types on told_reservations.instance_type_id = instance_types.instance_type_id
    left join projects on told_reservations.project_id = projects.project_id
)

select * from final
