{{ config(materialized='table') }}

with

spans as (
    select * from {{ ref('int_reservation_spans') }}
    where is_as_of and is_past
),

touched_hours as (
    select
        *,
        {{ each_hour('from_at', 'to_at') }} as hour_at
    from spans
    {{ from_each_hour('from_at', 'to_at') }}
),

cut_spans as (
    select
        reservation_id,
        hour_at,
        greatest(from_at, hour_at) as from_at,
        least(to_at, {{ next_hour('hour_at') }}) as to_at,
        quantity,
        unit_price_cents,
        cents_per_hour
    from touched_hours
),

final as (
    select
        *,
        {{ us_between('from_at', 'to_at') }} as piece_us
    from cut_spans
)

select * from final
