with

instants as (
    select * from {{ relocatable(ref('int_reservation_instants')) }}
),

reservations as (
    select * from {{ relocatable(ref('int_reservations')) }}
),

-- A cut counts from when it happened: before, the reservation was to go on to its planned end.
final as (
    select
        reservations.reservation_id,
        instants.project_id,
        instants.known_at,
        instants.is_as_of,
        reservations.placed_at,
        reservations.starts_at,
        reservations.planned_ends_at,
        case
            when reservations.cut_at <= instants.known_at then reservations.ends_at else reservations.planned_ends_at
        end as ends_at,
        reservations.has_terms,
        reservations.instance_quantity,
        cast(round(reservations.unit_price_usd * 100, 0) as bigint) as unit_price_cents
    from reservations
    inner join instants on reservations.reservation_id = instants.reservation_id
)

select * from final
