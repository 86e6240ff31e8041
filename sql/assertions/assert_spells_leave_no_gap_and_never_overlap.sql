-- Each spell ends where the next begins, or where the story ends; the last one that is open, at as_of.
with

spells as (
    select * from {{ get_where_subquery(ref('fct_status_spells')) }}
),

instances as (
    select * from {{ ref('dim_instances') }}
),

policy as (
    select * from {{ ref('status_policy') }}
    where ends_story
),

neighbours as (
    select
        spells.*,
        instances.as_of,
        policy.status is not null as ends_its_story,
        lead(spells.started_at) over (
            partition by spells.instance_id order by spells.started_at
        ) as next_started_at
    from spells
    inner join instances on spells.instance_id = instances.instance_id
    left join policy on spells.next_status = policy.status
)

select * from neighbours
where
    started_at >= ended_at
    or ended_at > as_of
    or next_started_at < ended_at
    or is_open and (ended_at <> as_of or next_started_at is not null)
    or not is_open and not ends_its_story and (next_started_at is null or next_started_at <> ended_at)
