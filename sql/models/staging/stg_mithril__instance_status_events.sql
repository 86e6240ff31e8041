with

source as (
    select * from {{ source('raw', 'instance_status_events') }}
),

renamed as (
    select
        cast(project as {{ text() }}) as project_id,
        cast(instance_fid as {{ text() }}) as instance_id,
        cast(bid_fid as {{ text() }}) as bid_id,
        cast(reservation_fid as {{ text() }}) as reservation_id,
        cast({{ word('timestamp') }} as {{ timestamp() }}) as occurred_at,
        cast({{ bare_status('status') }} as {{ text() }}) as status,
        cast(read_at as {{ timestamp() }}) as read_at,
        cast(withdrawn_at as {{ timestamp() }}) as withdrawn_at,
        cast(_dlt_load_id as {{ text() }}) as load_id
    from source
)

select * from renamed
