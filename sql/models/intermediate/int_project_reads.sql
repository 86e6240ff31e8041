{{ config(materialized='table') }}

with

windows as (
    select * from {{ ref('stg_mithril__windows') }}
    where history in ('status', 'pricing')
),

-- A run is complete once the span that ends where it was to end was read; one that was cut short moves nothing.
read_spans as (
    select
        project_id,
        history,
        from_at,
        case when to_at = coalesce(run_ends_at, to_at) then to_at end as run_ended_at,
        read_at,
        {{ load_number('load_id') }} = max({{ load_number('load_id') }}) over (
            partition by project_id, history
        ) as is_of_newest_load
    from windows
),

-- What was read is never later than the server's clock now, though it may once have been far ahead.
histories as (
    select
        project_id,
        history,
        min(from_at) as first_from_at,
        max(run_ended_at) as complete_to_at,
        max(case when is_of_newest_load then read_at end) as clock_at
    from read_spans
    group by project_id, history
),

read_projects as (
    select
        project_id,
        min(first_from_at) as first_window_from_at,
        case
            when count(complete_to_at) = 2 then min(least(complete_to_at, coalesce(clock_at, complete_to_at)))
        end as read_to_at
    from histories
    group by project_id
),

final as (
    select
        project_id,
        first_window_from_at,
        {% if var('as_of') %}
            case when read_to_at > {{ pinned_as_of() }} then {{ pinned_as_of() }} else read_to_at end as as_of
        {% else %}
            read_to_at as as_of
        {% endif %}
    from read_projects
)

select * from final
