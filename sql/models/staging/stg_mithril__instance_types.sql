with

source as (
    select * from {{ source('raw', 'instance_types') }}
),

renamed as (
    select
        cast(fid as {{ text() }}) as instance_type_id,
        cast(name as {{ text() }}) as instance_type_name,
        cast(num_gpus as bigint) as num_gpus,
        cast(other_fields as {{ text() }}) as other_fields,
        cast(version_hash as {{ text() }}) as version_hash,
        cast(read_at as {{ timestamp() }}) as read_at,
        cast(_dlt_load_id as {{ text() }}) as load_id,
        {{ utc('_dlt_valid_from') }} as valid_from,
        {{ utc('_dlt_valid_to') }} as valid_to
    from source
)

select * from renamed
