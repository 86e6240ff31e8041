with

span_hours as (
    select * from {{ ref('int_reservation_span_hours') }}
),

reserved_use_hours as (
    select * from {{ ref('int_reserved_use_hours') }}
),

credit_hours as (
    select * from {{ ref('int_credit_hours') }}
),

reserved as (
    select
        reservation_id,
        hour_at,
        sum(quantity * piece_us) as reserved_us,
        {{ sum_all_known('cents_per_hour * piece_us') }} as reserved_cost_cent_us
    from span_hours
    group by reservation_id, hour_at
),

used as (
    select
        reservation_id,
        hour_at,
        sum(reserved_used_us) as used_us,
        {{ sum_all_known('allocated_cost_cent_us') }} as allocated_used_cent_us
    from reserved_use_hours
    group by reservation_id, hour_at
),

paused as (
    select
        reservation_id,
        hour_at,
        sum(reserved_paused_us) as paused_us,
        sum(credited_us) as credited_us,
        {{ sum_known('pause_credit_cent_us', 'credited_us') }} as pause_credit_cent_us
    from credit_hours
    group by reservation_id, hour_at
),

hours as (
    select
        reservation_id,
        hour_at
    from reserved
    union distinct
    select
        reservation_id,
        hour_at
    from used
    union distinct
    select
        reservation_id,
        hour_at
    from paused
),

final as (
    select
        hours.reservation_id,
        hours.hour_at,
        cast(coalesce(reserved.reserved_us, 0) as bigint) as reserved_us,
        cast(coalesce(used.used_us, 0) as bigint) as used_us,
        cast(coalesce(paused.paused_us, 0) as bigint) as paused_us,
        cast(coalesce(paused.credited_us, 0) as bigint) as credited_us,
        {{ zero_unless('reserved.reservation_id', 'reserved.reserved_cost_cent_us') }} as reserved_cost_cent_us,
        {{ zero_unless('used.reservation_id', 'used.allocated_used_cent_us') }} as allocated_used_cent_us,
        {{ zero_unless('paused.reservation_id', 'paused.pause_credit_cent_us') }} as pause_credit_cent_us
    from hours
    left join reserved on hours.reservation_id = reserved.reservation_id and hours.hour_at = reserved.hour_at
    left join used on hours.reservation_id = used.reservation_id and hours.hour_at = used.hour_at
    left join paused on hours.reservation_id = paused.reservation_id and hours.hour_at = paused.hour_at
)

select * from final
