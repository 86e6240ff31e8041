with

source as (
    select * from {{ source('raw', 'windows') }}
),

renamed as (
    select
        cast(project as {{ text() }}) as project_id,
        cast(history as {{ text() }}) as history,
        cast(from_at as {{ timestamp() }}) as from_at,
        cast(to_at as {{ timestamp() }}) as to_at,
        cast(run_id as {{ text() }}) as run_id,
        cast({{ word('rows') }} as bigint) as row_count,
        cast(requests as bigint) as requests,
        cast(read_at as {{ timestamp() }}) as read_at,
        cast(run_ends_at as {{ timestamp() }}) as run_ends_at,
        cast(asked_by as {{ text() }}) as asked_by,
        cast(pages_count as {{ text() }}) as pages_count,
        cast(_dlt_load_id as {{ text() }}) as load_id
    from source
)

select * from renamed
