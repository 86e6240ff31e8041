with

grants as (
    select
        *,
        {{ us_between('starts_at', 'ends_at') }} as length_us
    from {{ relocatable(ref('int_reservation_grants')) }}
    where is_as_of and placed_at <= known_at
),

-- What of a grant lies outside the window of its reservation, which may be cut, no hour will ever be charged with.
measured_grants as (
    select
        reservation_id,
        project_id,
        {{ span_key('reservation_id', 'starts_at') }} || '#' || cast(position as {{ text() }}) as commitment_id,
        placed_at,
        known_at,
        window_ends_at,
        starts_at,
        ends_at,
        unit_price_cents,
        quantity * length_us as committed_us,
        quantity * (
            length_us - greatest({{ us_between(
                'greatest(starts_at, window_starts_at)', 'least(ends_at, window_ends_at)'
            ) }}, 0)
        ) as outside_us
    from grants
),

purchases as (
    select
        *,
        'reservation_purchase' as charge_kind,
        {{ hour_of('placed_at') }} as hour_at,
        starts_at as from_at,
        ends_at as to_at,
        committed_us as charged_us,
        {{ cent_us('unit_price_cents', 'committed_us') }} as cost_cent_us
    from measured_grants
),

cuts as (
    select
        *,
        'cut_writeoff' as charge_kind,
        {{ hour_of('window_ends_at') }} as hour_at,
        {{ hour_of('window_ends_at') }} as from_at,
        {{ next_hour(hour_of('window_ends_at')) }} as to_at,
        outside_us as charged_us,
        {{ cent_us('unit_price_cents', 'outside_us') }} as cost_cent_us
    from measured_grants
    where window_ends_at <= known_at and outside_us > 0
),

charges as (
    select * from purchases
    union all
    select * from cuts
),

final as (
    select
        charge_kind || ' ' || commitment_id as charge_id,
        charge_kind,
        commitment_id,
        reservation_id,
        project_id,
        hour_at,
        from_at,
        to_at,
        cast(charged_us as bigint) as charged_us,
        {{ wide('cost_cent_us') }} as cost_cent_us
    from charges
)

select * from final
