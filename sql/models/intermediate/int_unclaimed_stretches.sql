with

reservations as (
    select * from {{ ref('int_reservations') }}
    where has_terms
),

spells as (
    {{ recounted(ref('int_status_spells'), 'started_at', 'spells_from_at') }}
),

reserved_spells as (
    select
        spells.instance_id,
        spells.reservation_id,
        spells.started_at,
        spells.ended_at,
        coalesce(reservations.starts_at, spells.started_at) as window_starts_at,
        coalesce(reservations.ends_at, spells.ended_at) as window_ends_at
    from spells
    inner join reservations on spells.reservation_id = reservations.reservation_id
    where not spells.is_up and spells.status <> 'PAUSED'
),

breaks as (
    select
        *,
        case
            when started_at = lag(ended_at) over (partition by instance_id order by started_at) then 0
            else 1
        end as breaks_off
    from reserved_spells
),

numbered_spells as (
    select
        *,
        sum(breaks_off) over (
            partition by instance_id order by started_at
            rows between unbounded preceding and current row
        ) as stretch_number
    from breaks
),

clipped_stretches as (
    select
        instance_id,
        reservation_id,
        greatest(min(started_at), min(window_starts_at)) as started_at,
        least(max(ended_at), max(window_ends_at)) as ended_at
    from numbered_spells
    group by instance_id, reservation_id, stretch_number
),

measured_stretches as (
    select
        *,
        {{ us_between('started_at', 'ended_at') }} as unclaimed_us
    from clipped_stretches
),

final as (
    select
        {{ span_key('instance_id', 'started_at') }} as stretch_id,
        *
    from measured_stretches
    where unclaimed_us >= {{ seconds_us(var('pause_credit_min_seconds')) }}
)

select * from final
