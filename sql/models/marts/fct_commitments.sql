with

grants as (
    select * from {{ ref('int_reservation_grants') }}
),

placed_grants as (
    select
        *,
        quantity * {{ us_between('starts_at', 'ends_at') }} as committed_us
    from grants
    where is_as_of and placed_at <= known_at
),

priced_grants as (
    select
        *,
        {{ cent_us('unit_price_cents', 'committed_us') }} as committed_cost_cent_us
    from placed_grants
),

final as (
    select
        {{ span_key('reservation_id', 'starts_at') }} || '#' || cast(position as {{ text() }}) as commitment_id,
        reservation_id,
        project_id,
        terms_source,
        placed_at,
        {{ report_day('placed_at') }} as day,
        {{ report_month('placed_at') }} as month,
        starts_at,
        ends_at,
        quantity,
        unit_price_cents,
        committed_us,
        {{ hours('committed_us') }} as committed_hours,
        committed_cost_cent_us,
        {{ usd('committed_cost_cent_us') }} as committed_cost_usd
    from priced_grants
)

select * from final
