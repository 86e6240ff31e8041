with

source as (
    select * from {{ source('raw', 'instances') }}
),

renamed as (
    select
        cast(fid as {{ text() }}) as instance_id,
        cast(name as {{ text() }}) as instance_name,
        cast(project as {{ text() }}) as project_id,
        cast(created_at as {{ timestamp() }}) as created_at,
        cast(created_by as {{ text() }}) as user_id,
        cast(instance_type as {{ text() }}) as instance_type_id,
        cast({{ bare_status('status') }} as {{ text() }}) as listed_status,
        cast(region as {{ text() }}) as region,
        cast(bid as {{ text() }}) as bid_id,
        cast(reservation as {{ text() }}) as reservation_id,
        cast(ssh_destination as {{ text() }}) as ssh_destination,
        cast(private_ip as {{ text() }}) as private_ip,
        cast(other_fields as {{ text() }}) as other_fields,
        cast(version_hash as {{ text() }}) as version_hash,
        cast(read_at as {{ timestamp() }}) as read_at,
        cast(_dlt_load_id as {{ text() }}) as load_id,
        {{ utc('_dlt_valid_from') }} as valid_from,
        {{ utc('_dlt_valid_to') }} as valid_to
    from source
)

select * from renamed
