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

windows as (
    select * from {{ ref('stg_mithril__windows') }}
    where history in ('status', 'pricing')
),

read_spans as (
    select
        project_id,
        history,
        min(from_at) as read_from_at,
        max(to_at) as read_to_at
    from windows
    group by project_id, history
),

read_projects as (
    select
        project_id,
        min(read_from_at) as first_window_from_at,
        case when count(*) = 2 then min(read_to_at) end as as_of
    from read_spans
    group by project_id
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

newest_versions as (
    select
        *,
        row_number() over (
            partition by project_id order by valid_from desc, version_hash asc
        ) as version_rank
    from projects
),

final as (
    select
        named_projects.project_id,
        newest_versions.project_name,
        newest_versions.created_at,
        {% if var('as_of') %}
            case
                when read_projects.as_of > {{ pinned_as_of() }} then {{ pinned_as_of() }}
                else read_projects.as_of
            end
        {% else %}
            read_projects.as_of
        {% endif %} as as_of,
        read_projects.first_window_from_at
    from named_projects
    left join newest_versions
        on named_projects.project_id = newest_versions.project_id
        and newest_versions.version_rank = 1
    left join read_projects
        on named_projects.project_id = read_projects.project_id
)

select * from final
