{{ config(materialized='table') }}

with

grants as (
    select * from {{ ref('int_newest_grants') }}
),

instants as (
    select * from {{ ref('int_reservation_instants') }}
),

reservations as (
    select * from {{ ref('int_listed_reservations') }}
),

reservation_events as (
    select * from {{ ref('int_reservation_events') }}
),

unit_prices as (
    select * from {{ ref('int_rate_periods') }}
    where rate_kind = 'unit_price'
),

cuts as (
    select
        reservation_id,
        min(occurred_at) as cut_at
    from reservation_events
    where event_type in ('Canceled', 'Ended')
    group by reservation_id
),

-- A reservation that is cut only later was to go on to its planned end.
uncut_grants as (
    select
        grants.*,
        instants.known_at,
        instants.is_as_of,
        unit_prices.rate_cents as price_then_cents,
        coalesce(grants.terms_changed_at > instants.known_at, false) as is_to_come,
        case
            when grants.ends_at is null or grants.ends_at = cuts.cut_at and cuts.cut_at > instants.known_at
                then coalesce(reservations.ends_at, grants.ends_at)
            else grants.ends_at
        end as said_ends_at
    from grants
    inner join instants on grants.reservation_id = instants.reservation_id
    left join reservations on grants.reservation_id = reservations.reservation_id
    left join cuts on grants.reservation_id = cuts.reservation_id
    left join unit_prices
        on grants.reservation_id = unit_prices.reservation_id
        and instants.known_at >= unit_prices.from_at
        and instants.known_at < unit_prices.to_at
),

neighbours as (
    select
        *,
        min(case when is_to_come then starts_at end) over (partition by reservation_id, known_at) as change_at,
        max(case when is_to_come then said_ends_at end) over (partition by reservation_id, known_at) as change_ends_at,
        max(case when is_to_come then 0 else 1 end) over (partition by reservation_id, known_at) = 0 as is_all_to_come
    from uncut_grants
),

-- Terms that change only later are not known yet: the ones before reach to the end; of none, the price of then does.
final as (
    select
        reservation_id,
        project_id,
        known_at,
        is_as_of,
        starts_at,
        position,
        case when is_to_come or said_ends_at = change_at then change_ends_at else said_ends_at end as ends_at,
        quantity,
        case when is_to_come then coalesce(price_then_cents, unit_price_cents) else unit_price_cents end
            as unit_price_cents
    from neighbours
    where not is_to_come or is_all_to_come and starts_at = change_at
)

select * from final
