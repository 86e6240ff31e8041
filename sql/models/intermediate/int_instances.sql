{{ config(materialized='table') }}

with

owned_instances as (
    select * from {{ ref('int_owned_instances') }}
),

bids as (
    select * from {{ ref('int_listed_bids') }}
),

reservations as (
    select * from {{ ref('int_listed_reservations') }}
),

projects as (
    select * from {{ ref('int_projects') }}
),

instance_types as (
    select * from {{ ref('int_instance_types') }}
),

-- What no list ever had is of the type, in the region and of the user of the order that it belongs to.
described_instances as (
    select
        owned_instances.instance_id,
        owned_instances.instance_name,
        owned_instances.project_id,
        owned_instances.bid_id,
        owned_instances.reservation_id,
        case
            when owned_instances.was_listed then owned_instances.user_id
            else coalesce(bids.user_id, reservations.user_id)
        end as user_id,
        case
            when owned_instances.was_listed then owned_instances.instance_type_id
            else coalesce(bids.instance_type_id, reservations.instance_type_id)
        end as instance_type_id,
        case
            when owned_instances.was_listed then owned_instances.region
            else coalesce(bids.region, reservations.region)
        end as region,
        owned_instances.listed_status,
        owned_instances.is_listed,
        owned_instances.created_at,
        owned_instances.first_event_at,
        owned_instances.first_told_at,
        projects.as_of
    from owned_instances
    left join bids on owned_instances.bid_id = bids.bid_id
    left join reservations on owned_instances.reservation_id = reservations.reservation_id
    left join projects on owned_instances.project_id = projects.project_id
    -- One that began later is not there yet: lists are read after as_of, and may be read long after a pinned one.
    where
        projects.as_of is null
        or owned_instances.first_told_at < projects.as_of
        or (owned_instances.was_listed and coalesce(owned_instances.created_at < projects.as_of, true))
),

final as (
    select
        described_instances.*,
        case
            when described_instances.bid_id is not null then 'spot'
            when described_instances.reservation_id is not null then 'reserved'
            else 'none'
        end as order_type,
        coalesce(described_instances.bid_id, described_instances.reservation_id) as order_id,
        instance_types.instance_type_name,
        instance_types.num_gpus
    from described_instances
    left join instance_types on described_instances.instance_type_id = instance_types.instance_type_id
)

select * from final
