{{ config(materialized='table') }}

with

summaries as (
    select * from {{ ref('int_usage_summaries') }}
),

grants as (
    select * from {{ ref('int_reservation_grants') }}
    where placed_at <= known_at
),

pause_credits as (
    select * from {{ ref('int_summary_pause_credits') }}
    where reading = 'ours'
),

returns as (
    select * from {{ ref('int_summary_returns') }}
),

active_times as (
    select * from {{ ref('int_summary_active_times') }}
    where reading = 'ours'
),

committed as (
    select
        reservation_id,
        known_at,
        {{ sum_all_known(cent_us('unit_price_cents', '(quantity * ' ~ us_between('starts_at', 'ends_at') ~ ')')) }}
            as committed_cost_cent_us
    from grants
    group by reservation_id, known_at
),

returned as (
    select
        reservation_id,
        sum(return_credit_cent_us) as return_credit_cent_us,
        cast(sum(case when return_credit_cent_us is null then hours_left_us else 0 end) as bigint) as unrated_us
    from returns
    group by reservation_id
),

figures as (
    select
        summaries.reservation_id,
        {{ zero_unless('committed.reservation_id', 'committed.committed_cost_cent_us') }} as committed_cost_cent_us,
        {{ zero_unless('pause_credits.reservation_id', 'pause_credits.credit_cent_us') }} as pause_credit_cent_us,
        coalesce(pause_credits.unrated_us, 0) as unrated_pause_us,
        {{ zero_unless('returned.reservation_id', 'returned.return_credit_cent_us') }} as return_credit_cent_us,
        coalesce(returned.unrated_us, 0) as unrated_return_us,
        active_times.reserved_us,
        active_times.active_us,
        active_times.reserved_us - active_times.active_us as idle_us
    from summaries
    inner join active_times on summaries.reservation_id = active_times.reservation_id
    left join committed
        on summaries.reservation_id = committed.reservation_id
        and summaries.vendor_as_of = committed.known_at
    left join pause_credits on summaries.reservation_id = pause_credits.reservation_id
    left join returned on summaries.reservation_id = returned.reservation_id
),

final as (
    select
        *,
        committed_cost_cent_us - pause_credit_cent_us - return_credit_cent_us as net_cost_cent_us
    from figures
)

select * from final
