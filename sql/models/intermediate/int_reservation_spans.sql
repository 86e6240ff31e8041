with

grants as (
    select * from {{ ref('int_reservation_grants') }}
),

clipped_grants as (
    select
        reservation_id,
        known_at,
        is_as_of,
        starts_at,
        position,
        quantity,
        unit_price_cents,
        greatest(starts_at, window_starts_at) as from_at,
        least(ends_at, window_ends_at) as to_at
    from grants
),

live_grants as (
    select * from clipped_grants
    where from_at < to_at
),

edges as (
    select
        reservation_id,
        known_at,
        from_at as edge_at
    from live_grants
    union distinct
    select
        reservation_id,
        known_at,
        to_at as edge_at
    from live_grants
    union distinct
    select
        reservation_id,
        known_at,
        known_at as edge_at
    from live_grants
    where from_at < known_at and to_at > known_at
),

spans as (
    select
        reservation_id,
        known_at,
        edge_at as from_at,
        lead(edge_at) over (partition by reservation_id, known_at order by edge_at) as to_at
    from edges
),

-- Where grants overlap each is its own quantity, and a used hour is priced by the one that began first.
grants_in_force as (
    select
        spans.reservation_id,
        spans.known_at,
        live_grants.is_as_of,
        spans.from_at,
        spans.to_at,
        live_grants.quantity,
        live_grants.unit_price_cents,
        row_number() over (
            partition by spans.reservation_id, spans.known_at, spans.from_at
            order by live_grants.starts_at, live_grants.position
        ) as grant_rank
    from spans
    inner join live_grants
        on spans.reservation_id = live_grants.reservation_id
        and spans.known_at = live_grants.known_at
        and spans.from_at < live_grants.to_at
        and spans.to_at > live_grants.from_at
),

final as (
    select
        reservation_id,
        known_at,
        is_as_of,
        from_at,
        to_at,
        to_at <= known_at as is_past,
        cast(sum(quantity) as bigint) as quantity,
        max(case when grant_rank = 1 then unit_price_cents end) as unit_price_cents,
        {{ sum_all_known(wide('quantity') ~ ' * unit_price_cents') }} as cents_per_hour
    from grants_in_force
    group by reservation_id, known_at, is_as_of, from_at, to_at
)

select * from final
