with

spells as (
    select * from {{ ref('int_summary_changes') }}
    where not ends_story
),

spans as (
    select * from {{ ref('int_reservation_spans') }}
),

reserved_pieces as (
    select
        spells.reservation_id,
        spells.instance_id,
        spells.started_at,
        spells.status,
        spells.is_up,
        {{ us_between(
            'greatest(spells.started_at, spans.from_at)', 'least(spells.ended_at, spans.to_at)'
        ) }} as piece_us
    from spells
    inner join spans
        on spells.reservation_id = spans.reservation_id
        and spells.known_at = spans.known_at
        and spells.started_at < spans.to_at
        and spells.ended_at > spans.from_at
),

final as (
    select
        reservation_id,
        instance_id,
        started_at,
        status,
        is_up,
        cast(sum(piece_us) as bigint) as reserved_us
    from reserved_pieces
    group by reservation_id, instance_id, started_at, status, is_up
)

select * from final
