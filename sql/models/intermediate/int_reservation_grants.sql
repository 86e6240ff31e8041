with

grants as (
    select * from {{ relocatable(ref('int_granted_terms')) }}
),

windows as (
    select * from {{ relocatable(ref('int_reservation_windows')) }}
),

granted_terms as (
    select
        windows.reservation_id,
        windows.project_id,
        windows.known_at,
        windows.is_as_of,
        windows.placed_at,
        windows.starts_at as window_starts_at,
        windows.ends_at as window_ends_at,
        'grant' as terms_source,
        grants.starts_at,
        grants.position,
        coalesce(grants.ends_at, windows.planned_ends_at) as ends_at,
        coalesce(grants.quantity, windows.instance_quantity) as quantity,
        coalesce(grants.unit_price_cents, windows.unit_price_cents) as unit_price_cents
    from grants
    inner join windows
        on grants.reservation_id = windows.reservation_id
        and grants.known_at = windows.known_at
),

-- One that was cut before it began has granted nothing.
ungranted_terms as (
    select
        windows.reservation_id,
        windows.project_id,
        windows.known_at,
        windows.is_as_of,
        windows.placed_at,
        windows.starts_at as window_starts_at,
        windows.ends_at as window_ends_at,
        'listing' as terms_source,
        windows.starts_at,
        0 as position,
        windows.planned_ends_at as ends_at,
        windows.instance_quantity as quantity,
        windows.unit_price_cents
    from windows
    left join grants
        on windows.reservation_id = grants.reservation_id
        and windows.known_at = grants.known_at
    where grants.reservation_id is null and windows.starts_at < windows.ends_at
),

all_terms as (
    select * from granted_terms
    union all
    select * from ungranted_terms
),

final as (
    select * from all_terms
    where starts_at < ends_at and quantity is not null
)

select * from final
