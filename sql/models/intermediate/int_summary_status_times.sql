{{ config(materialized='table') }}

with

status_changes as (
    select * from {{ ref('int_status_changes') }}
    where not ends_story
),

summaries as (
    select * from {{ ref('int_usage_summaries') }}
),

spans as (
    select * from {{ ref('int_reservation_spans') }}
    where is_past
),

spans_in_order as (
    select
        summaries.reservation_id,
        spans.from_at,
        spans.to_at,
        lag(spans.to_at, 1, {{ since_ever() }}) over (
            partition by summaries.reservation_id order by spans.from_at
        ) as span_before_to_at
    from summaries
    inner join spans
        on summaries.reservation_id = spans.reservation_id
        and summaries.vendor_as_of = spans.known_at
),

-- Added up before anything else is asked of them: there are millions. A spell counts in the first span that it touches.
reserved_pieces as (
    select
        status_changes.reservation_id,
        status_changes.status,
        status_changes.is_up,
        {{ us_between(
            'greatest(status_changes.started_at, spans_in_order.from_at)',
            'least(status_changes.ended_at, spans_in_order.to_at)'
        ) }} as piece_us,
        case when status_changes.started_at >= spans_in_order.span_before_to_at then 1 else 0 end as spell_count
    from status_changes
    inner join spans_in_order
        on status_changes.reservation_id = spans_in_order.reservation_id
        and status_changes.started_at < spans_in_order.to_at
        and status_changes.ended_at > spans_in_order.from_at
),

final as (
    select
        reservation_id,
        status,
        is_up,
        cast(sum(piece_us) as bigint) as reserved_us,
        cast(sum(spell_count) as bigint) as spell_count
    from reserved_pieces
    group by reservation_id, status, is_up
)

select * from final
