-- No fact is past the as_of of its project: what is after it is not known yet.
with

projects as (
    select * from {{ ref('dim_projects') }}
),

facts as (
    select
        project_id,
        ended_at as happened_at
    from {{ ref('fct_status_spells') }}
    union all
    select
        project_id,
        hour_at as happened_at
    from {{ ref('fct_reservation_hours') }}
    union all
    select
        project_id,
        ended_at as happened_at
    from {{ ref('fct_pause_credits') }}
    union all
    select
        project_id,
        interrupted_at as happened_at
    from {{ ref('fct_interruptions') }}
    union all
    select
        project_id,
        recovered_at as happened_at
    from {{ ref('fct_interruptions') }}
    union all
    select
        project_id,
        running_at as happened_at
    from {{ ref('fct_starts') }}
    union all
    select
        project_id,
        placed_at as happened_at
    from {{ ref('fct_commitments') }}
    union all
    select
        project_id,
        returned_at as happened_at
    from {{ ref('fct_return_credits') }}
)

select facts.*
from facts
inner join projects on facts.project_id = projects.project_id
where projects.as_of is null or facts.happened_at > projects.as_of
