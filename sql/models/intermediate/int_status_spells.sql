with

status_changes as (
    select * from {{ ref('int_status_changes') }}
),

final as (
    select * from status_changes
    where not ends_story
)

select * from final
