{{ config(materialized='incremental', pre_hook="{{ forget() }}") }}

with

pauses as (
    select * from {{ ref('int_pauses') }}
    where {{ since_first_change('left_at') }}
),

stretches as (
    select * from {{ ref('int_unclaimed_stretches') }}
),

rate_periods as (
    select * from {{ ref('int_rate_periods') }}
    where rate_kind = 'pause_credit'
),

recounted_instances as (
    select * from {{ ref('int_recounted_instances') }}
),

creditable as (
    select
        pause_id as source_id,
        case when is_credited then 'credited' when has_terms then 'short' else 'without_terms' end as credit_kind,
        instance_id,
        reservation_id,
        started_at,
        ended_at
    from pauses
    union all
    select
        stretch_id as source_id,
        'unclaimed' as credit_kind,
        instance_id,
        reservation_id,
        started_at,
        ended_at
    from stretches
),

rated as (
    select
        creditable.source_id,
        creditable.credit_kind,
        creditable.instance_id,
        creditable.reservation_id,
        rate_periods.rate_cents,
        greatest(creditable.started_at, coalesce(rate_periods.from_at, creditable.started_at)) as started_at,
        least(creditable.ended_at, coalesce(rate_periods.to_at, creditable.ended_at)) as ended_at
    from creditable
    left join rate_periods
        on creditable.reservation_id = rate_periods.reservation_id
        and creditable.started_at < rate_periods.to_at
        and creditable.ended_at > rate_periods.from_at
),

touched_hours as (
    select
        rated.*,
        {{ each_hour('greatest(rated.started_at, recounted_instances.hours_from_at)', 'rated.ended_at') }} as hour_at
    from rated
    inner join recounted_instances
        on rated.instance_id = recounted_instances.instance_id
        and rated.ended_at > recounted_instances.hours_from_at
    {{ from_each_hour('greatest(rated.started_at, recounted_instances.hours_from_at)', 'rated.ended_at') }}
),

cut_spans as (
    select
        source_id,
        credit_kind,
        instance_id,
        reservation_id,
        hour_at,
        rate_cents,
        greatest(started_at, hour_at) as from_at,
        least(ended_at, {{ next_hour('hour_at') }}) as to_at
    from touched_hours
),

measured_spans as (
    select
        *,
        {{ us_between('from_at', 'to_at') }} as piece_us
    from cut_spans
),

final as (
    select
        *,
        {{ cent_us('rate_cents', 'piece_us') }} as piece_cent_us
    from measured_spans
)

select * from final
