with

source as (
    select * from {{ source('raw', 'instances') }}
),

renamed as (
    select
        cast(fid as varchar) as instance_id,
        cast(name as varchar) as instance_name,
        cast(project as varchar) as project_id,
        cast(created_at as timestamp) as created_at,
        cast(created_by as varchar) as user_id,
        cast(instance_type as varchar) as instance_type_id,
        cast({{ bare_status('status') }} as varchar) as listed_status,
        cast(region as varchar) as region,
        cast(bid as varchar) as bid_id,
        cast(reservation as varchar) as reservation_id,
        cast(ssh_destination as varchar) as ssh_destination,
        cast(private_ip as varchar) as private_ip,
        cast(other_fields as varchar) as other_fields,
        cast(version_hash as varchar) as version_hash,
        cast(read_at as timestamp) as read_at,
        cast(_dlt_load_id as varchar) as load_id,
        {{ utc('_dlt_valid_from') }} as valid_from,
        {{ utc('_dlt_valid_to') }} as valid_to
    from source
)

select * from renamed
