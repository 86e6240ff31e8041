{{ config(materialized='table') }}

with

instances as (
    select * from {{ ref('stg_mithril__instances') }}
),

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
),

price_periods as (
    select * from {{ ref('stg_mithril__instance_price_periods') }}
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
        valid_to is null as is_listed
    from ranked_versions
    where version_rank = 1
),

histories as (
    select
        instance_id,
        project_id,
        bid_id,
        reservation_id
    from status_events
    union all
    select
        instance_id,
        project_id,
        bid_id,
        reservation_id
    from price_periods
),

named_by_histories as (
    select
        instance_id,
        max(project_id) as project_id,
        max(bid_id) as bid_id,
        max(reservation_id) as reservation_id
    from histories
    group by instance_id
),

events_seen as (
    select
        status_events.instance_id,
        min(status_events.occurred_at) as first_event_at,
        max(status_events.occurred_at) as last_event_at
    from status_events
    inner join projects on status_events.project_id = projects.project_id
    where status_events.occurred_at <= projects.as_of
    group by status_events.instance_id
),

owned_instances as (
    select
        coalesce(listed.instance_id, named.instance_id) as instance_id,
        listed.instance_name,
        coalesce(listed.project_id, named.project_id) as project_id,
        case
            when listed.bid_id is null and listed.reservation_id is null then named.bid_id
            else listed.bid_id
        end as bid_id,
        case
            when listed.bid_id is null and listed.reservation_id is null then named.reservation_id
            else listed.reservation_id
        end as reservation_id,
        listed.user_id,
        listed.instance_type_id,
        listed.region,
        listed.listed_status,
        coalesce(listed.is_listed, false) as is_listed,
        listed.created_at
    from newest_versions as listed
    full outer join named_by_histories as named
        on listed.instance_id = named.instance_id
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
        events_seen.first_event_at,
        events_seen.last_event_at,
        projects.as_of
    from owned_instances
    left join instance_types
        on owned_instances.instance_type_id = instance_types.instance_type_id
    left join events_seen
        on owned_instances.instance_id = events_seen.instance_id
    left join projects
        on owned_instances.project_id = projects.project_id
)

select * from final
