with

source as (
    select * from {{ source('raw', 'market_prices') }}
),

renamed as (
    select
        cast(instance_type as {{ text() }}) as instance_type_id,
        cast(region as {{ text() }}) as region,
        cast({{ word('timestamp') }} as {{ timestamp() }}) as priced_at,
        cast(spot_price_usd as decimal(38, 9)) as spot_price_usd,
        cast(reserved_price_usd as decimal(38, 9)) as reserved_price_usd,
        cast(read_at as {{ timestamp() }}) as read_at,
        cast(_dlt_load_id as {{ text() }}) as load_id
    from source
)

select * from renamed
