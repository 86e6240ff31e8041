with

reservations as (
    select * from {{ ref('stg_mithril__reservations') }}
),

projects as (
    select * from {{ ref('int_projects') }}
),

numbered_versions as (
    select
        reservations.*,
        projects.as_of,
        {{ version_number('reservations.reservation_id') }} as version_number
    from reservations
    left join projects on reservations.project_id = projects.project_id
),

ranked_versions as (
    select
        *,
        {{ counting_version_number('reservation_id') }} as counting_version_number,
        {{ is_in_newest_list('reservation_id') }} as is_listed
    from numbered_versions
),

final as (
    select
        reservation_id,
        reservation_name,
        project_id,
        user_id,
        instance_type_id,
        region,
        instance_quantity,
        unit_price_usd,
        {{ if_known_at_as_of('status') }} as status,
        is_listed,
        created_at,
        starts_at,
        ends_at
    from ranked_versions
    where version_number = counting_version_number
)

select * from final
