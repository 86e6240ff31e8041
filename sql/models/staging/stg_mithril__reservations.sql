with

source as (
    select * from {{ source('raw', 'reservations') }}
),

renamed as (
    select
        cast(fid as {{ text() }}) as reservation_id,
        cast(name as {{ text() }}) as reservation_name,
        cast(project as {{ text() }}) as project_id,
        cast(created_by as {{ text() }}) as user_id,
        cast(created_at as {{ timestamp() }}) as created_at,
        cast(instance_quantity as bigint) as instance_quantity,
        cast(instance_type as {{ text() }}) as instance_type_id,
        cast(region as {{ text() }}) as region,
        cast(instances as {{ text() }}) as instance_ids,
        cast(status as {{ text() }}) as status,
        cast(start_time as {{ timestamp() }}) as starts_at,
        cast(end_time as {{ timestamp() }}) as ends_at,
        cast(unit_price_usd as decimal(38, 9)) as unit_price_usd,
        cast(total_price_usd as decimal(38, 9)) as total_price_usd,
        cast(other_fields as {{ text() }}) as other_fields,
        cast(version_hash as {{ text() }}) as version_hash,
        cast(read_at as {{ timestamp() }}) as read_at,
        cast(_dlt_load_id as {{ text() }}) as load_id,
        {{ utc('_dlt_valid_from') }} as valid_from,
        {{ utc('_dlt_valid_to') }} as valid_to
    from source
)

select * from renamed
