{{ config(materialized='table') }}

with

instances as (
    select * from {{ ref('stg_mithril__instances') }}
),

histories as (
    select * from {{ ref('int_instance_histories') }}
),

projects as (
    select * from {{ ref('int_projects') }}
),

instance_types as (
    select * from {{ ref('int_instance_types') }}
),

ranked_versions as (
    select
        *,
        row_number() over (
            partition by instance_id order by valid_from desc, version_hash asc
        ) as version_rank
    from instances
),

newest_versions as (
    select
        *,
        valid_to is null as is_listed,
        bid_id is null and reservation_id is null as names_no_order
    from ranked_versions
    where version_rank = 1
),

owned_instances as (
    select
        coalesce(listed.instance_id, histories.instance_id) as instance_id,
        listed.instance_name,
        coalesce(listed.project_id, histories.project_id) as project_id,
        case when coalesce(listed.names_no_order, true) then histories.bid_id else listed.bid_id end as bid_id,
        case
            when coalesce(listed.names_no_order, true) then histories.reservation_id else listed.reservation_id
        end as reservation_id,
        listed.user_id,
        listed.instance_type_id,
        listed.region,
        listed.listed_status,
        coalesce(listed.is_listed, false) as is_listed,
        listed.created_at,
        histories.first_event_at,
        histories.last_event_at
    from newest_versions as listed
    full outer join histories on listed.instance_id = histories.instance_id
),

final as (
    select
        owned_instances.*,
        case
            when owned_instances.bid_id is not null then 'spot'
            when owned_instances.reservation_id is not null then 'reserved'
            else 'none'
        end as order_type,
        coalesce(owned_instances.bid_id, owned_instances.reservation_id) as order_id,
        instance_types.instance_type_name,
        instance_types.num_gpus,
        projects.as_of
    from owned_instances
    left join instance_types on owned_instances.instance_type_id = instance_types.instance_type_id
    left join projects on owned_instances.project_id = projects.project_id
)

select * from final
