with

grants as (
    select * from {{ ref('stg_mithril__reservation_grants') }}
),

reservations as (
    select * from {{ ref('int_reservations') }}
),

listed_terms as (
    select
        reservation_id,
        project_id,
        placed_at,
        starts_at as window_starts_at,
        ends_at as window_ends_at,
        planned_ends_at,
        as_of,
        instance_quantity,
        cast(unit_price_usd * 100 as bigint) as unit_price_cents
    from reservations
),

granted_terms as (
    select
        listed_terms.reservation_id,
        listed_terms.project_id,
        listed_terms.placed_at,
        listed_terms.window_starts_at,
        listed_terms.window_ends_at,
        listed_terms.as_of,
        'grant' as terms_source,
        grants.starts_at,
        grants.position,
        coalesce(grants.ends_at, listed_terms.planned_ends_at) as ends_at,
        coalesce(grants.quantity, listed_terms.instance_quantity) as quantity,
        coalesce(grants.unit_price_cents, listed_terms.unit_price_cents) as unit_price_cents
    from grants
    inner join listed_terms on grants.reservation_id = listed_terms.reservation_id
),

ungranted_terms as (
    select
        listed_terms.reservation_id,
        listed_terms.project_id,
        listed_terms.placed_at,
        listed_terms.window_starts_at,
        listed_terms.window_ends_at,
        listed_terms.as_of,
        'listing' as terms_source,
        listed_terms.window_starts_at as starts_at,
        0 as position,
        listed_terms.planned_ends_at as ends_at,
        listed_terms.instance_quantity as quantity,
        listed_terms.unit_price_cents
    from listed_terms
    left join grants on listed_terms.reservation_id = grants.reservation_id
    where grants.reservation_id is null
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
