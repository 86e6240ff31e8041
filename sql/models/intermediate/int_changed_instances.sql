{{ config(materialized='table') }}

with

known_instances as (
    select
        *,
        true as is_held
    from {{ ref('int_instance_facts') }}
),

history_days as (
    select * from {{ ref('int_history_days') }}
    where is_changed
),

reservation_terms as (
    select * from {{ ref('int_reservation_terms') }}
),

earlier as (
    {{ built_before('known_instances') }}
),

changes as (
    select
        instance_id,
        cast(told_on as {{ timestamp() }}) as changed_at
    from history_days
    union all
    select
        known_instances.instance_id,
        least(known_instances.as_of, earlier.as_of) as changed_at
    from known_instances
    inner join earlier on known_instances.instance_id = earlier.instance_id
    where known_instances.as_of <> earlier.as_of
    union all -- a reservation of another project has an as_of of its own
    select
        known_instances.instance_id,
        reservation_terms.first_as_of
    from known_instances
    inner join reservation_terms on known_instances.reservation_id = reservation_terms.reservation_id
    union all -- nothing is kept of what was not there: it counts from where the histories begin to tell of it
    select
        known_instances.instance_id,
        coalesce(known_instances.first_told_at, known_instances.as_of) as changed_at
    from known_instances
    left join earlier on known_instances.instance_id = earlier.instance_id
    where earlier.instance_id is null
),

first_changes as (
    select
        instance_id,
        min(changed_at) as changed_at
    from changes
    group by instance_id
),

compared as (
    select
        coalesce(known_instances.instance_id, earlier.instance_id) as instance_id,
        known_instances.reservation_id,
        known_instances.as_of,
        known_instances.first_told_at,
        known_instances.facts,
        known_instances.instance_id is not null as is_held,
        first_changes.changed_at,
        {{ 'false' if var('only_changed', false) else 'true' }}
        or coalesce(known_instances.facts <> earlier.facts, known_instances.instance_id is null)
        or coalesce(reservation_terms.is_changed, false) as is_other
    from known_instances
    full outer join earlier on known_instances.instance_id = earlier.instance_id
    left join first_changes on known_instances.instance_id = first_changes.instance_id
    left join reservation_terms on known_instances.reservation_id = reservation_terms.reservation_id
),

-- Pauses and time unclaimed count once they have lasted so long: what did before a change does not hang on it.
final as (
    select
        instance_id,
        reservation_id,
        as_of,
        first_told_at,
        facts,
        is_held,
        case
            when is_other then {{ since_ever() }}
            else {{ hour_of(us_after('changed_at', '-' ~ seconds_us(var('pause_credit_min_seconds')))) }}
        end as hours_from_at,
        {{ this_run() }} as counted_by
    from compared
)

select * from final
