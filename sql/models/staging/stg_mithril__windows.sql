with

source as (
    select * from {{ source('raw', 'windows') }}
),

renamed as (
    select
        cast(project as varchar) as project_id,
        cast(history as varchar) as history,
        cast(from_at as timestamp) as from_at,
        cast(to_at as timestamp) as to_at,
        cast(run_id as varchar) as run_id,
        cast(rows as bigint) as row_count,
        cast(requests as bigint) as requests,
        cast(read_at as timestamp) as read_at,
        cast(run_ends_at as timestamp) as run_ends_at,
        cast(asked_by as varchar) as asked_by,
        cast(pages_count as varchar) as pages_count,
        cast(_dlt_load_id as varchar) as load_id
    from source
)

select * from renamed
