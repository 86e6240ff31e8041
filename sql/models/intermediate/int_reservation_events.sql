{{ config(materialized='table') }}

with

reservation_events as (
    select * from {{ ref('stg_mithril__reservation_events') }}
),

projects as (
    select * from {{ ref('int_projects') }}
),

-- A reading of a history brings all of it: what only an earlier one had, the vendor tells no more.
numbered_events as (
    select
        *,
        {{ load_number('load_id') }} as load_number,
        max({{ load_number('load_id') }}) over (partition by reservation_id) as newest_load_number
    from reservation_events
),

final as (
    select
        numbered_events.reservation_id,
        numbered_events.project_id,
        numbered_events.occurred_at,
        numbered_events.event_type,
        coalesce(numbered_events.position, 0) as position,
        numbered_events.unit_price_cents,
        numbered_events.pause_credit_cents,
        numbered_events.return_credit_cents,
        coalesce(numbered_events.occurred_at <= projects.as_of, false) as is_known
    from numbered_events
    left join projects on numbered_events.project_id = projects.project_id
    where numbered_events.load_number = numbered_events.newest_load_number
)

select * from final
