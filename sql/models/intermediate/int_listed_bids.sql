with

spot_bids as (
    select * from {{ ref('stg_mithril__spot_bids') }}
),

projects as (
    select * from {{ ref('int_projects') }}
),

numbered_versions as (
    select
        spot_bids.*,
        projects.as_of,
        {{ version_number('spot_bids.bid_id') }} as version_number
    from spot_bids
    left join projects on spot_bids.project_id = projects.project_id
),

ranked_versions as (
    select
        *,
        {{ counting_version_number('bid_id') }} as counting_version_number
    from numbered_versions
),

final as (
    select
        bid_id,
        bid_name,
        project_id,
        user_id,
        instance_type_id,
        region
    from ranked_versions
    where version_number = counting_version_number
)

select * from final
