with

instance_types as (
    select * from {{ ref('stg_mithril__instance_types') }}
),

projects as (
    select * from {{ ref('int_projects') }}
),

-- The list of types belongs to no project: what counts is what was known at the latest as_of of all.
latest as (
    select max(as_of) as as_of from projects
),

numbered_versions as (
    select
        instance_types.*,
        latest.as_of,
        {{ version_number('instance_types.instance_type_id') }} as version_number
    from instance_types
    cross join latest
),

ranked_versions as (
    select
        *,
        {{ counting_version_number('instance_type_id') }} as counting_version_number,
        {{ is_in_newest_list('instance_type_id') }} as is_listed
    from numbered_versions
),

final as (
    select
        instance_type_id,
        instance_type_name,
        num_gpus,
        is_listed
    from ranked_versions
    where version_number = counting_version_number
)

select * from final
