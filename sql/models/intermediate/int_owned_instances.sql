with

listed_instances as (
    select * from {{ ref('int_listed_instances') }}
),

histories as (
    select * from {{ ref('int_instance_histories') }}
),

final as (
    select
        coalesce(listed.instance_id, histories.instance_id) as instance_id,
        listed.instance_name,
        coalesce(listed.project_id, histories.project_id) as project_id,
        case
            when coalesce(listed.bid_id, listed.reservation_id) is null then histories.bid_id else listed.bid_id
        end as bid_id,
        case
            when coalesce(listed.bid_id, listed.reservation_id) is null then histories.reservation_id
            else listed.reservation_id
        end as reservation_id,
        listed.user_id,
        listed.instance_type_id,
        listed.region,
        listed.listed_status,
        coalesce(listed.is_listed, false) as is_listed,
        listed.instance_id is not null as was_listed,
        listed.created_at,
        histories.first_event_at,
        histories.first_told_at
    from listed_instances as listed
    full outer join histories on listed.instance_id = histories.instance_id
)

select * from final
