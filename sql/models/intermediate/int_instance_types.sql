with

instance_types as (
    select * from {{ ref('stg_mithril__instance_types') }}
),

newest_versions as (
    select
        *,
        row_number() over (
            partition by instance_type_id order by valid_from desc, version_hash asc
        ) as version_rank
    from instance_types
),

final as (
    select
        instance_type_id,
        instance_type_name,
        num_gpus,
        valid_to is null as is_listed
    from newest_versions
    where version_rank = 1
)

select * from final
