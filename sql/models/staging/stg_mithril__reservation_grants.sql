with

source as (
    select * from {{ source('raw', 'reservation_grants') }}
),

renamed as (
    select
        cast(project as {{ text() }}) as project_id,
        cast(reservation_fid as {{ text() }}) as reservation_id,
        cast(starts_at as {{ timestamp() }}) as starts_at,
        cast(position as bigint) as position,
        cast(ends_at as {{ timestamp() }}) as ends_at,
        cast(quantity as bigint) as quantity,
        cast(unit_price_cents as bigint) as unit_price_cents,
        cast(price_credit_cents as bigint) as price_credit_cents,
        cast(return_credit_cents as bigint) as return_credit_cents,
        cast(read_at as {{ timestamp() }}) as read_at,
        cast(_dlt_load_id as {{ text() }}) as load_id
    from source
)

select * from renamed
