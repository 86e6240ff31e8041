{{ config(materialized='table') }}

with

projects as (
    select * from {{ ref('stg_mithril__projects') }}
),

instances as (
    select * from {{ ref('stg_mithril__instances') }}
),

reservations as (
    select * from {{ ref('stg_mithril__reservations') }}
),

read_projects as (
    select * from {{ ref('int_project_reads') }}
),

named_projects as (
    select project_id from projects
    union distinct
    select project_id from read_projects
    union distinct
    select project_id from instances
    union distinct
    select project_id from reservations
),

numbered_versions as (
    select
        projects.*,
        read_projects.as_of,
        {{ version_number('projects.project_id') }} as version_number
    from projects
    left join read_projects on projects.project_id = read_projects.project_id
),

ranked_versions as (
    select
        *,
        {{ counting_version_number('project_id') }} as counting_version_number
    from numbered_versions
),

final as (
    select
        named_projects.project_id,
        listed.project_name,
        listed.created_at,
        read_projects.as_of,
        read_projects.first_window_from_at
    from named_projects
    left join ranked_versions as listed
        on named_projects.project_id = listed.project_id
        and listed.version_number = listed.counting_version_number
    left join read_projects
        on named_projects.project_id = read_projects.project_id
)

select * from final
