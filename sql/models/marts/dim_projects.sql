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
        first_window_from_at,
        cast('{{ var("report_timezone") }}' as {{ text() }}) as report_timezone
    from projects
)

select * from final
