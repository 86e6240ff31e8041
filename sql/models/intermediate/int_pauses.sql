with

spells as (
    select * from {{ ref('int_status_spells') }}
    where status = 'PAUSED'
),

reservations as (
    select * from {{ ref('int_reservations') }}
),

clipped_pauses as (
    select
        spells.instance_id,
        spells.reservation_id,
        spells.project_id,
        coalesce(reservations.has_terms, false) as has_terms,
        greatest(spells.started_at, coalesce(reservations.starts_at, spells.started_at)) as started_at,
        least(spells.ended_at, coalesce(reservations.ends_at, spells.ended_at)) as ended_at,
        spells.ended_at as left_at,
        spells.is_open and (reservations.ends_at is null or reservations.ends_at > spells.ended_at) as is_open
    from spells
    left join reservations on spells.reservation_id = reservations.reservation_id
    where spells.reservation_id is not null
),

measured_pauses as (
    select
        *,
        {{ us_between('started_at', 'ended_at') }} as paused_us
    from clipped_pauses
    where started_at < ended_at
),

final as (
    select
        {{ span_key('instance_id', 'started_at') }} as pause_id,
        *,
        has_terms and paused_us >= {{ seconds_us(var('pause_credit_min_seconds')) }} as is_credited
    from measured_pauses
)

select * from final
