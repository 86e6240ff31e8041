with

instances as (
    select * from {{ ref('stg_mithril__instances') }}
),

projects as (
    select * from {{ ref('int_projects') }}
),

numbered_versions as (
    select
        instances.*,
        projects.as_of,
        {{ version_number('instances.instance_id') }} as version_number
    from instances
    left join projects on instances.project_id = projects.project_id
),

ranked_versions as (
    select
        *,
        {{ counting_version_number('instance_id') }} as counting_version_number,
        {{ is_in_newest_list('instance_id') }} as is_listed
    from numbered_versions
),

final as (
    select
        instance_id,
        instance_name,
        project_id,
        bid_id,
        reservation_id,
        user_id,
        instance_type_id,
        region,
        {{ if_known_at_as_of('listed_status') }} as listed_status,
        is_listed,
        created_at
    from ranked_versions
    where version_number = counting_version_number
)

select * from final
