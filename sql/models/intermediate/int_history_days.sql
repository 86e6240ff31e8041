{{ config(materialized='table') }}

with

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
    where withdrawn_at is null
),

price_periods as (
    select * from {{ ref('stg_mithril__instance_price_periods') }}
    where withdrawn_at is null
),

told as (
    select
        instance_id,
        cast(occurred_at as date) as told_on,
        {{ digest('occurred_at, status') }} as digest
    from status_events
    union all
    select
        instance_id,
        cast(starts_at as date) as told_on,
        {{ digest('starts_at, ends_at, price_cents') }} as digest
    from price_periods
),

days as (
    select
        instance_id,
        told_on,
        sum(digest) as digest,
        count(*) as row_count,
        true as is_held
    from told
    group by instance_id, told_on
),

earlier as (
    {{ built_before('days') }}
),

final as (
    select
        coalesce(days.instance_id, earlier.instance_id) as instance_id,
        coalesce(days.told_on, earlier.told_on) as told_on,
        days.digest,
        days.row_count,
        days.instance_id is not null as is_held,
        coalesce(days.digest <> earlier.digest or days.row_count <> earlier.row_count, true) as is_changed
    from days
    full outer join earlier
        on days.instance_id = earlier.instance_id
        and days.told_on = earlier.told_on
)

select * from final
