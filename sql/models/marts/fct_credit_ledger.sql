{{ config(materialized='view') }}

with

credited_pauses as (
    select * from {{ relocatable(ref('fct_pause_credits')) }}
    where is_credited
),

projects as (
    select * from {{ relocatable(ref('dim_projects')) }}
),

aged_credits as (
    select
        credited_pauses.*,
        case
            when credited_pauses.is_open then 'accruing'
            when credited_pauses.expires_at <= projects.as_of then 'expired'
            when credited_pauses.expires_at <= {{ later_by(30 * 24, 'hour', 'projects.as_of') }} then 'within_30_days'
            when credited_pauses.expires_at <= {{ later_by(60 * 24, 'hour', 'projects.as_of') }} then 'within_60_days'
            when credited_pauses.expires_at <= {{ later_by(90 * 24, 'hour', 'projects.as_of') }} then 'within_90_days'
            else 'later'
        end as ageing
    from credited_pauses
    inner join projects on credited_pauses.project_id = projects.project_id
),

days as (
    select
        reservation_id,
        project_id,
        {{ report_day('ended_at') }} as day,
        {{ report_month('ended_at') }} as month,
        ageing,
        count(*) as pauses,
        min(expires_at) as expires_at,
        cast(sum(credited_us) as bigint) as credited_us,
        cast(sum(case when pause_credit_cent_us is null then credited_us else 0 end) as bigint) as unrated_us,
        {{ sum_known('pause_credit_cent_us', 'credited_us') }} as credit_cent_us
    from aged_credits
    group by reservation_id, project_id, {{ report_day('ended_at') }}, {{ report_month('ended_at') }}, ageing
),

final as (
    select
        reservation_id,
        project_id,
        day,
        month,
        ageing,
        pauses,
        expires_at,
        credited_us,
        unrated_us,
        credit_cent_us,
        {{ hours('credited_us') }} as credited_hours,
        {{ usd('credit_cent_us') }} as credit_usd,
        -- What lapses first is taken to be used first: so much of what is left lapses no later than this.
        sum(case when ageing in ('expired', 'accruing') then 0 else coalesce(credit_cent_us, 0) end) over (
            partition by reservation_id order by day, coalesce(expires_at, cast('9999-12-31' as {{ timestamp() }}))
            rows between unbounded preceding and current row
        ) as left_so_far_cent_us
    from days
)

select * from final
