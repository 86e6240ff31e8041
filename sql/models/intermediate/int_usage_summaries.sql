with

summaries as (
    select * from {{ ref('stg_mithril__reservation_usage') }}
),

projects as (
    select * from {{ ref('int_projects') }}
),

ranked_summaries as (
    select
        summaries.*,
        row_number() over (
            partition by summaries.reservation_id order by summaries.as_of desc
        ) as summary_rank
    from summaries
    inner join projects on summaries.project_id = projects.project_id
    where summaries.as_of <= projects.as_of
),

final as (
    select
        reservation_id,
        project_id,
        as_of as vendor_as_of,
        committed_cost_cents,
        flex_use_credits_cents,
        early_termination_credits_cents,
        net_cost_cents,
        reserved_instance_us,
        active_instance_us,
        idle_instance_us
    from ranked_summaries
    where summary_rank = 1
)

select * from final
