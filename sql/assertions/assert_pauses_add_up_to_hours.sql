-- The pauses of an instance and its hours tell the same credited time; the same credit, where every rate is known.
with

by_hour as (
    select
        instance_id,
        sum(credited_us) as credited_us,
        sum(short_paused_us) as short_paused_us,
        sum(pause_credit_cent_us) as pause_credit_cent_us,
        sum(case when credited_us > 0 and pause_credit_cent_us is null then 1 else 0 end) as unrated_rows
    from {{ ref('fct_instance_hours') }}
    group by instance_id
),

by_pause as (
    select
        instance_id,
        sum(credited_us) as credited_us,
        sum(case when has_terms and not is_credited then paused_us else 0 end) as short_paused_us,
        sum(pause_credit_cent_us) as pause_credit_cent_us
    from {{ ref('fct_pause_credits') }}
    group by instance_id
)

select coalesce(by_hour.instance_id, by_pause.instance_id) as instance_id
from by_pause
full outer join by_hour on by_pause.instance_id = by_hour.instance_id
where
    by_hour.instance_id is null
    or coalesce(by_pause.credited_us, 0) <> by_hour.credited_us
    or coalesce(by_pause.short_paused_us, 0) <> by_hour.short_paused_us
    or by_hour.unrated_rows = 0 and coalesce(by_pause.pause_credit_cent_us, 0) <> by_hour.pause_credit_cent_us
