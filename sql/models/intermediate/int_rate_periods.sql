with

reservations as (
    select * from {{ ref('int_reservations') }}
),

reservation_events as (
    select * from {{ ref('stg_mithril__reservation_events') }}
),

said_rates as (
    select
        reservation_id,
        'pause' as rate_kind,
        occurred_at as from_at,
        event_type,
        pause_credit_cents as rate_cents
    from reservation_events
    where pause_credit_cents is not null
    union all
    select
        reservation_id,
        'return' as rate_kind,
        occurred_at as from_at,
        event_type,
        return_credit_cents as rate_cents
    from reservation_events
    where return_credit_cents is not null
),

kinds as (
    select 'pause' as rate_kind
    union all
    select 'return' as rate_kind
),

-- Before the first rate that was said there is one that nobody knows, so that the periods leave no gap.
unknown_rates as (
    select
        reservations.reservation_id,
        kinds.rate_kind,
        cast('0001-01-01' as timestamp) as from_at,
        '' as event_type,
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
        lead(from_at, 1, cast('9999-12-31' as timestamp)) over (
            partition by reservation_id, rate_kind order by from_at, event_type
        ) as to_at,
        rate_cents
    from rates
),

final as (
    select * from periods
    where from_at < to_at
)

select * from final
