{{ config(materialized='incremental', pre_hook="{{ forget() }}") }}

with

credit_spans as (
    select * from {{ ref('int_credit_spans') }}
    where credit_kind <> 'unclaimed'
),

pauses as (
    {{ recounted(ref('int_pauses'), 'started_at', 'spells_from_at') }}
        and {{ since_first_change('left_at', 'min(spells_from_at)') }}
),

pause_amounts as (
    select
        pauses.pause_id,
        {{ sum_all_known('credit_spans.piece_cent_us') }} as paused_cent_us
    from credit_spans
    inner join pauses on credit_spans.source_id = pauses.pause_id
    group by pauses.pause_id
),

credited_pauses as (
    select
        pauses.*,
        case when pauses.is_credited then pauses.paused_us else 0 end as credited_us,
        case when pauses.is_credited then pause_amounts.paused_cent_us else 0 end as pause_credit_cent_us,
        case
            when pauses.has_terms and not pauses.is_credited then pause_amounts.paused_cent_us else 0
        end as short_pause_loss_cent_us
    from pauses
    inner join pause_amounts on pauses.pause_id = pause_amounts.pause_id
),

final as (
    select
        pause_id,
        instance_id,
        reservation_id,
        project_id,
        started_at,
        ended_at,
        is_open,
        paused_us,
        has_terms,
        is_credited,
        credited_us,
        pause_credit_cent_us,
        short_pause_loss_cent_us,
        {{ hours('paused_us') }} as paused_hours,
        {{ usd('pause_credit_cent_us') }} as pause_credit_usd,
        {{ usd('short_pause_loss_cent_us') }} as short_pause_loss_usd,
        case when not is_open then ended_at end as earned_at,
        case
            when is_credited and not is_open
                then {{ months_after('ended_at', var('pause_credit_expiry_months')) }}
        end as expires_at
    from credited_pauses
)

select * from final
