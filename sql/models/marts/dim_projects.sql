with

projects as (
    select * from {{ ref('int_projects') }}
),

final as (
    select
        project_id,
        project_name,
        created_at,
        as_of,
        first_window_from_at
    from projects
)

select * from final
