with

source as (
    select * from {{ source('raw', 'reservation_events') }}
),

renamed as (
    select
        cast(project as {{ text() }}) as project_id,
        cast(reservation_fid as {{ text() }}) as reservation_id,
        cast({{ word('timestamp') }} as {{ timestamp() }}) as occurred_at,
        cast(event_type as {{ text() }}) as event_type,
        cast(unit_price_cents as bigint) as unit_price_cents,
        cast(pause_credit_cents as bigint) as pause_credit_cents,
        cast(return_credit_cents as bigint) as return_credit_cents,
        cast(read_at as {{ timestamp() }}) as read_at,
        cast(position as bigint) as position,
        cast(_dlt_load_id as {{ text() }}) as load_id
    from source
)

select * from renamed
