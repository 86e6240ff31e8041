with

grants as (
    select * from {{ ref('stg_mithril__reservation_grants') }}
),

summaries as (
    select * from {{ ref('stg_mithril__reservation_usage') }}
),

terms_changes as (
    select * from {{ ref('int_reservation_events') }}
    where event_type = 'Terms Changed'
),

-- One answer brings the summary and all grants: a grant that only an earlier one had, the vendor shows no more.
newest_readings as (
    select
        reservation_id,
        max({{ load_number('load_id') }}) as load_number
    from summaries
    group by reservation_id
),

newest_grants as (
    select grants.*
    from grants
    left join newest_readings on grants.reservation_id = newest_readings.reservation_id
    where {{ load_number('grants.load_id') }} >= coalesce(newest_readings.load_number, 0)
),

final as (
    select
        newest_grants.reservation_id,
        newest_grants.project_id,
        newest_grants.starts_at,
        newest_grants.position,
        newest_grants.ends_at,
        newest_grants.quantity,
        newest_grants.unit_price_cents,
        max(terms_changes.occurred_at) as terms_changed_at
    from newest_grants
    left join terms_changes
        on newest_grants.reservation_id = terms_changes.reservation_id
        and newest_grants.starts_at >= terms_changes.occurred_at
    group by
        newest_grants.reservation_id, newest_grants.project_id, newest_grants.starts_at, newest_grants.position,
        newest_grants.ends_at, newest_grants.quantity, newest_grants.unit_price_cents
)

select * from final
