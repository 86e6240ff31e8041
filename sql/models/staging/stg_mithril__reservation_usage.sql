with

source as (
    select * from {{ source('raw', 'reservation_usage') }}
),

renamed as (
    select
        cast(project as {{ text() }}) as project_id,
        cast(reservation_fid as {{ text() }}) as reservation_id,
        cast(as_of as {{ timestamp() }}) as as_of,
        cast(committed_cost_cents as bigint) as committed_cost_cents,
        cast(flex_use_credits_cents as bigint) as flex_use_credits_cents,
        cast(early_termination_credits_cents as bigint) as early_termination_credits_cents,
        cast(net_cost_cents as bigint) as net_cost_cents,
        cast(reserved_instance_us as bigint) as reserved_instance_us,
        cast(active_instance_us as bigint) as active_instance_us,
        cast(idle_instance_us as bigint) as idle_instance_us,
        cast(pricing_events as {{ text() }}) as pricing_events,
        cast(read_at as {{ timestamp() }}) as read_at,
        cast(_dlt_load_id as {{ text() }}) as load_id
    from source
)

select * from renamed
