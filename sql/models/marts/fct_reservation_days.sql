with

reservation_hours as (
    select * from {{ ref('fct_reservation_hours') }}
),

days as (
    select
        reservation_id,
        project_id,
        day,
        month,
        cast(sum(reserved_us) as bigint) as reserved_us,
        cast(sum(used_us) as bigint) as used_us,
        cast(sum(unused_us) as bigint) as unused_us,
        cast(sum(paused_us) as bigint) as paused_us,
        cast(sum(credited_us) as bigint) as credited_us,
        {{ sum_known('allocated_used_cent_us', 'used_us') }} as allocated_used_cent_us,
        {{ sum_known('allocated_unused_cent_us', 'reserved_us') }} as allocated_unused_cent_us,
        {{ sum_known('pause_credit_cent_us', 'credited_us') }} as pause_credit_cent_us
    from reservation_hours
    group by reservation_id, project_id, day, month
),

final as (
    select
        {{ span_key('reservation_id', 'day') }} as reservation_day_id,
        reservation_id,
        project_id,
        day,
        month,
        reserved_us,
        used_us,
        unused_us,
        paused_us,
        credited_us,
        allocated_used_cent_us,
        allocated_unused_cent_us,
        pause_credit_cent_us,
        {{ hours('reserved_us') }} as reserved_hours,
        {{ hours('used_us') }} as used_hours,
        {{ hours('unused_us') }} as unused_hours,
        {{ hours('paused_us') }} as paused_hours,
        {{ usd('allocated_used_cent_us') }} as allocated_used_usd,
        {{ usd('allocated_unused_cent_us') }} as allocated_unused_usd,
        {{ usd('pause_credit_cent_us') }} as pause_credit_usd,
        {{ usd('allocated_unused_cent_us') }} as idle_cost_gross_usd,
        {{ usd('(allocated_unused_cent_us - pause_credit_cent_us)') }} as idle_cost_net_usd,
        {{ percent('used_us', 'reserved_us') }} as utilisation_pct
    from days
)

select * from final
