with

pauses as (
    select * from {{ ref('int_summary_pauses') }}
),

rate_periods as (
    select * from {{ ref('int_rate_periods') }}
    where rate_kind = 'pause_credit'
),

rated_pieces as (
    select
        pauses.reservation_id,
        pauses.reading,
        rate_periods.rate_cents,
        {{ us_between(
            'greatest(pauses.from_at, rate_periods.from_at)', 'least(pauses.to_at, rate_periods.to_at)'
        ) }} as piece_us
    from pauses
    inner join rate_periods
        on pauses.reservation_id = rate_periods.reservation_id
        and pauses.from_at < rate_periods.to_at
        and pauses.to_at > rate_periods.from_at
    where pauses.counted_us > 0
),

credits as (
    select
        reservation_id,
        reading,
        sum({{ cent_us('rate_cents', 'piece_us') }}) as credit_cent_us,
        cast(sum(case when rate_cents is null then piece_us else 0 end) as bigint) as unrated_us
    from rated_pieces
    group by reservation_id, reading
),

compared_pauses as (
    select
        pauses.reservation_id,
        pauses.reading,
        pauses.counted_us,
        pauses.counted_us - ours.counted_us as more_us
    from pauses
    inner join pauses as ours
        on pauses.instance_id = ours.instance_id
        and pauses.paused_at = ours.paused_at
        and ours.reading = 'ours'
),

counts as (
    select
        reservation_id,
        reading,
        cast(sum(counted_us) as bigint) as counted_us,
        cast(sum(more_us) as bigint) as more_us,
        sum(case when more_us <> 0 then 1 else 0 end) as differing_pauses
    from compared_pauses
    group by reservation_id, reading
),

final as (
    select
        counts.reservation_id,
        counts.reading,
        counts.counted_us,
        coalesce(credits.unrated_us, 0) as unrated_us,
        case when counts.counted_us = 0 then 0 else credits.credit_cent_us end as credit_cent_us,
        cast(counts.differing_pauses as bigint) as differing_pauses,
        counts.more_us
    from counts
    left join credits
        on counts.reservation_id = credits.reservation_id
        and counts.reading = credits.reading
)

select * from final
