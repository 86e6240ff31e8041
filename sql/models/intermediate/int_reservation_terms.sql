{{ config(materialized='table') }}

with

reservations as (
    select * from {{ ref('int_reservations') }}
),

grants as (
    select * from {{ ref('int_reservation_grants') }}
    where is_as_of
),

rate_periods as (
    select * from {{ ref('int_rate_periods') }}
    where rate_kind = 'pause_credit'
),

granted as (
    select
        reservation_id,
        {{ joined_texts(
            in_one_text([
                'window_starts_at', 'window_ends_at', 'starts_at', 'position', 'ends_at', 'quantity', 'unit_price_cents'
            ]),
            '; ', 'starts_at, position'
        ) }} as told_grants
    from grants
    group by reservation_id
),

rated as (
    select
        reservation_id,
        {{ joined_texts(in_one_text(['from_at', 'rate_cents']), '; ', 'from_at') }} as told_rates
    from rate_periods
    group by reservation_id
),

terms as (
    select
        reservations.reservation_id,
        reservations.as_of,
        {{ in_one_text([
            'reservations.starts_at', 'reservations.ends_at', 'reservations.has_terms', 'granted.told_grants',
            'rated.told_rates'
        ]) }} as terms,
        true as is_held
    from reservations
    left join granted on reservations.reservation_id = granted.reservation_id
    left join rated on reservations.reservation_id = rated.reservation_id
),

earlier as (
    {{ built_before('terms') }}
),

final as (
    select
        coalesce(terms.reservation_id, earlier.reservation_id) as reservation_id,
        terms.as_of,
        terms.terms,
        terms.reservation_id is not null as is_held,
        coalesce(terms.terms <> earlier.terms, true) as is_changed,
        case when terms.as_of <> earlier.as_of then least(terms.as_of, earlier.as_of) end as first_as_of
    from terms
    full outer join earlier on terms.reservation_id = earlier.reservation_id
)

select * from final
