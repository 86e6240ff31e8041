{{ config(materialized='incremental', unique_key=['instance_id', 'told_on'], pre_hook=[
    "{{ forget_days_gone() }}", "{{ forget_changed_days() }}"
]) }}

with

rows_told_again as (
    select * from {{ ref('int_rows_told_again') }}
),

loaded_days as (
    select * from {{ ref('int_loaded_days') }}
),

days as (
    select
        instance_id,
        told_on,
        project_id,
        bid_id,
        reservation_id,
        min(event_at) as first_event_at,
        min(told_of_at) as first_told_at,
        min(case when event_at is null then told_of_at end) as first_price_at,
        sum(digest) as digest,
        count(*) as row_count,
        true as is_held
    from rows_told_again
    group by instance_id, told_on, project_id, bid_id, reservation_id
),

built_before as (
    {{ built_before('days') }}
),

earlier as (
    select built_before.*
    from built_before
    inner join loaded_days
        on built_before.instance_id = loaded_days.instance_id
        and built_before.told_on = loaded_days.told_on
),

final as (
    select
        coalesce(days.instance_id, earlier.instance_id) as instance_id,
        coalesce(days.told_on, earlier.told_on) as told_on,
        days.project_id,
        days.bid_id,
        days.reservation_id,
        days.first_event_at,
        days.first_told_at,
        days.first_price_at,
        days.digest,
        days.row_count,
        days.instance_id is not null as is_held,
        coalesce(days.digest <> earlier.digest or days.row_count <> earlier.row_count, true) as is_changed
    from days
    full outer join earlier
        on days.instance_id = earlier.instance_id
        and days.told_on = earlier.told_on
        and coalesce(days.project_id, '') = coalesce(earlier.project_id, '')
        and coalesce(days.bid_id, '') = coalesce(earlier.bid_id, '')
        and coalesce(days.reservation_id, '') = coalesce(earlier.reservation_id, '')
)

select * from final
