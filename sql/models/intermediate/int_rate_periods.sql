with

reservations as (
    select * from {{ ref('int_reservation_instants') }}
    where is_as_of
),

known_events as (
    select * from {{ ref('int_reservation_events') }}
    where is_known
),

said_rates as (
    {% for kind in ('unit_price', 'pause_credit', 'return_credit') %}
        select
            reservation_id,
            '{{ kind }}' as rate_kind,
            occurred_at as from_at,
            event_type,
            position,
            {{ kind }}_cents as rate_cents
        from known_events
        where {{ kind }}_cents is not null
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

kinds as (
    select 'unit_price' as rate_kind
    union all
    select 'pause_credit' as rate_kind
    union all
    select 'return_credit' as rate_kind
),

-- Before the first rate that was said there is one that nobody knows, so that the periods leave no gap.
unknown_rates as (
    select
        reservations.reservation_id,
        kinds.rate_kind,
        cast('0001-01-01' as {{ timestamp() }}) as from_at,
        '' as event_type,
        0 as position,
        cast(null as bigint) as rate_cents
    from reservations
    cross join kinds
),

rates as (
    select * from said_rates
    union all
    select * from unknown_rates
),

periods as (
    select
        reservation_id,
        rate_kind,
        from_at,
        lead(from_at, 1, cast('9999-12-31' as {{ timestamp() }})) over (
            partition by reservation_id, rate_kind order by from_at, event_type, position
        ) as to_at,
        rate_cents
    from rates
),

final as (
    select * from periods
    where from_at < to_at
)

select * from final
