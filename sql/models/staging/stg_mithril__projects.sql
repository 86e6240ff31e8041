with

source as (
    select * from {{ source('raw', 'projects') }}
),

renamed as (
    select
        cast(fid as {{ text() }}) as project_id,
        cast(name as {{ text() }}) as project_name,
        cast(created_at as {{ timestamp() }}) as created_at,
        cast(other_fields as {{ text() }}) as other_fields,
        cast(version_hash as {{ text() }}) as version_hash,
        cast(read_at as {{ timestamp() }}) as read_at,
        cast(_dlt_load_id as {{ text() }}) as load_id,
        {{ utc('_dlt_valid_from') }} as valid_from,
        {{ utc('_dlt_valid_to') }} as valid_to
    from source
)

select * from renamed
