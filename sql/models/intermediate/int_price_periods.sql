with

price_periods as (
    select * from {{ ref('stg_mithril__instance_price_periods') }}
    where withdrawn_at is null
),

instances as (
    select * from {{ ref('int_instances') }}
),

spot_periods as (
    select
        price_periods.instance_id,
        price_periods.starts_at,
        least(coalesce(price_periods.ends_at, instances.as_of), instances.as_of) as said_ends_at,
        -- Of two readings of one start the newer holds, and a closed end replaces an open one: the other lasts no time.
        lead(price_periods.starts_at, 1, instances.as_of) over (
            partition by price_periods.instance_id
            order by
                price_periods.starts_at,
                price_periods.read_at,
                coalesce(price_periods.ends_at, price_periods.starts_at)
        ) as next_starts_at,
        price_periods.price_cents
    from price_periods
    inner join instances
        on price_periods.instance_id = instances.instance_id
        and instances.order_type = 'spot'
    where price_periods.starts_at < instances.as_of
),

cut_periods as (
    select
        instance_id,
        starts_at,
        least(said_ends_at, next_starts_at) as ends_at,
        price_cents
    from spot_periods
),

final as (
    select * from cut_periods
    where starts_at < ends_at
)

select * from final
