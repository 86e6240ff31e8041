with

source as (
    select * from {{ source('raw', 'runs') }}
),

renamed as (
    select
        cast(run_id as {{ text() }}) as run_id,
        cast(started_at as {{ timestamp() }}) as started_at,
        cast(finished_at as {{ timestamp() }}) as finished_at,
        cast(as_of as {{ timestamp() }}) as as_of,
        cast(outcome as {{ text() }}) as outcome,
        cast(error as {{ text() }}) as error,
        cast(windows_planned as bigint) as windows_planned,
        cast(windows_done as bigint) as windows_done,
        cast(requests as bigint) as requests,
        cast(retries as bigint) as retries,
        cast({{ word('rows') }} as bigint) as row_count,
        cast(bytes as bigint) as bytes,
        cast(late_rows as bigint) as late_rows,
        cast(late_seconds as bigint) as late_seconds,
        cast(version as {{ text() }}) as version,
        cast(withdrawn_rows as bigint) as withdrawn_rows,
        cast(lookback_seconds as bigint) as lookback_seconds,
        cast(_dlt_load_id as {{ text() }}) as load_id
    from source
)

select * from renamed
