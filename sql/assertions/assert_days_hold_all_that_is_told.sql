-- A build takes for unchanged what no new load told of, which is so as long as only loads write the histories.
with

status_events as (
    select * from {{ ref('stg_mithril__instance_status_events') }}
    where withdrawn_at is null
),

price_periods as (
    select * from {{ ref('stg_mithril__instance_price_periods') }}
    where withdrawn_at is null
),

history_days as (
    select * from {{ ref('int_history_days') }}
),

counts as (
    select count(*) as row_count from status_events
    union all
    select count(*) as row_count from price_periods
),

told as (
    select sum(row_count) as row_count from counts
),

held as (
    select coalesce(sum(row_count), 0) as row_count from history_days
)

select
    told.row_count as rows_told,
    held.row_count as rows_held
from told
cross join held
where told.row_count <> held.row_count
