with

instances as (
    select * from {{ ref('int_instances') }}
),

bid_limits as (
    select * from {{ ref('int_bid_limits') }}
    where from_at = {{ since_ever() }}
),

-- Of a bid's limits the first counts for all time; later ones begin after all that was counted before they were read.
final as (
    select
        instances.instance_id,
        instances.reservation_id,
        instances.as_of,
        instances.first_told_at,
        {{ in_one_text([
            'instances.project_id', 'instances.bid_id', 'instances.reservation_id', 'instances.num_gpus',
            'bid_limits.near_limit_cents', 'instances.as_of is null'
        ]) }} as facts
    from instances
    left join bid_limits on instances.bid_id = bid_limits.bid_id
)

select * from final
