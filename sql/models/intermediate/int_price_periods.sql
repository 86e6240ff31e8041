with

price_periods as (
    select * from {{ ref('stg_mithril__instance_price_periods') }}
    where withdrawn_at is null
),

priced_instances as (
    select * from {{ ref('int_priced_instances') }}
),

known_periods as (
    select
        price_periods.instance_id,
        price_periods.starts_at,
        price_periods.ends_at,
        price_periods.price_cents,
        price_periods.read_at,
        priced_instances.as_of,
        priced_instances.hours_from_at
    from price_periods
    inner join priced_instances
        on price_periods.instance_id = priced_instances.instance_id
        and price_periods.starts_at >= priced_instances.prices_from_at
    where
        price_periods.starts_at < priced_instances.as_of
        and price_periods.starts_at >= {{ first_price() }}
),

-- Of what began before all that is counted only the last can still hold.
last_before as (
    select
        instance_id,
        max(starts_at) as last_starts_at
    from known_periods
    where starts_at <= hours_from_at
    group by instance_id
),

spot_periods as (
    select
        known_periods.instance_id,
        known_periods.starts_at,
        least(coalesce(known_periods.ends_at, known_periods.as_of), known_periods.as_of) as said_ends_at,
        -- Of two readings of one start the newer holds, and a closed end replaces an open one: the other lasts no time.
        lead(known_periods.starts_at, 1, known_periods.as_of) over (
            partition by known_periods.instance_id
            order by
                known_periods.starts_at,
                known_periods.read_at,
                coalesce(known_periods.ends_at, known_periods.starts_at)
        ) as next_starts_at,
        known_periods.price_cents
    from known_periods
    left join last_before on known_periods.instance_id = last_before.instance_id
    where known_periods.starts_at >= coalesce(last_before.last_starts_at, known_periods.starts_at)
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
