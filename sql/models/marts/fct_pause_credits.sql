with

pauses as (
    select * from {{ ref('int_pauses') }}
),

credit_spans as (
    select * from {{ ref('int_credit_spans') }}
    where credit_kind <> 'unclaimed'
),

pause_amounts as (
    select
        source_id as pause_id,
        {{ sum_all_known('piece_cent_us') }} as paused_cent_us
    from credit_spans
    group by source_id
),

final as (
    select
        pauses.pause_id,
        pauses.instance_id,
        pauses.reservation_id,
        pauses.project_id,
        pauses.started_at,
        pauses.ended_at,
        pauses.is_open,
        pauses.paused_us,
        pauses.has_terms,
        pauses.is_credited,
        case when pauses.is_credited then pauses.paused_us else 0 end as credited_us,
        case when pauses.is_credited then amounts.paused_cent_us else 0 end as pause_credit_cent_us,
        case when pauses.is_credited or not pauses.has_terms then 0 else amounts.paused_cent_us end
            as short_pause_loss_cent_us,
        {{ hours('pauses.paused_us') }} as paused_hours,
        {{ usd('case when pauses.is_credited then amounts.paused_cent_us else 0 end') }} as pause_credit_usd,
        {{ usd('case when pauses.is_credited or not pauses.has_terms then 0 else amounts.paused_cent_us end') }}
            as short_pause_loss_usd,
        case when not pauses.is_open then pauses.ended_at end as earned_at,
        case
            when pauses.is_credited and not pauses.is_open
                then {{ months_after('pauses.ended_at', var('pause_credit_expiry_months')) }}
        end as expires_at
    from pauses
    inner join pause_amounts as amounts on pauses.pause_id = amounts.pause_id
)

select * from final
