with

source as (
    select * from {{ source('raw', 'instance_price_periods') }}
),

renamed as (
    select
        cast(project as {{ text() }}) as project_id,
        cast(instance_fid as {{ text() }}) as instance_id,
        cast(bid_fid as {{ text() }}) as bid_id,
        cast(reservation_fid as {{ text() }}) as reservation_id,
        cast(start_time as {{ timestamp() }}) as starts_at,
        cast(end_time as {{ timestamp() }}) as ends_at,
        cast(price_cents as bigint) as price_cents,
        cast(read_at as {{ timestamp() }}) as read_at,
        cast(withdrawn_at as {{ timestamp() }}) as withdrawn_at,
        cast(_dlt_load_id as {{ text() }}) as load_id
    from source
)

select * from renamed
