{{ config(materialized='incremental', pre_hook="{{ forget() }}") }}

with

credit_spans as (
    {{ recounted(ref('int_credit_spans'), 'hour_at', 'hours_from_at') }}
),

marked_spans as (
    select
        *,
        case when rate_cents is null then piece_us else 0 end as unrated_us
    from credit_spans
),

kind_hours as (
    select
        instance_id,
        reservation_id,
        hour_at,
        sum(case when credit_kind <> 'unclaimed' then piece_us else 0 end) as reserved_paused_us,
        sum(case when credit_kind = 'credited' then piece_us else 0 end) as credited_us,
        sum(case when credit_kind = 'short' then piece_us else 0 end) as short_us,
        sum(case when credit_kind = 'unclaimed' then piece_us else 0 end) as unclaimed_us,
        sum(case when credit_kind = 'credited' then unrated_us else 0 end) as credited_unrated_us,
        sum(case when credit_kind = 'short' then unrated_us else 0 end) as short_unrated_us,
        sum(case when credit_kind = 'unclaimed' then unrated_us else 0 end) as unclaimed_unrated_us,
        sum(case when credit_kind = 'credited' then piece_cent_us else 0 end) as credited_cent_us,
        sum(case when credit_kind = 'short' then piece_cent_us else 0 end) as short_cent_us,
        sum(case when credit_kind = 'unclaimed' then piece_cent_us else 0 end) as unclaimed_cent_us
    from marked_spans
    group by instance_id, reservation_id, hour_at
),

final as (
    select
        instance_id,
        reservation_id,
        hour_at,
        cast(reserved_paused_us as bigint) as reserved_paused_us,
        cast(credited_us as bigint) as credited_us,
        cast(credited_unrated_us as bigint) as credited_unrated_us,
        case when credited_unrated_us = 0 then credited_cent_us end as pause_credit_cent_us,
        cast(short_us as bigint) as short_paused_us,
        case when short_unrated_us = 0 then short_cent_us end as short_pause_loss_cent_us,
        cast(unclaimed_us as bigint) as unclaimed_us,
        case when unclaimed_unrated_us = 0 then unclaimed_cent_us end as unclaimed_credit_cent_us
    from kind_hours
)

select * from final
