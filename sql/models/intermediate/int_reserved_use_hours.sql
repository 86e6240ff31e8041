{{ config(materialized='incremental', pre_hook="{{ forget() }}") }}

with

spell_hours as (
    select * from {{ ref('int_spell_hours') }}
    where is_up
),

reservation_span_hours as (
    select * from {{ ref('int_reservation_span_hours') }}
),

used_spans as (
    select
        spell_hours.instance_id,
        spell_hours.reservation_id,
        spell_hours.hour_at,
        reservation_span_hours.unit_price_cents,
        {{ us_between(
            'greatest(spell_hours.from_at, reservation_span_hours.from_at)',
            'least(spell_hours.to_at, reservation_span_hours.to_at)'
        ) }} as used_us
    from spell_hours
    inner join reservation_span_hours
        on spell_hours.reservation_id = reservation_span_hours.reservation_id
        and spell_hours.hour_at = reservation_span_hours.hour_at
        and spell_hours.from_at < reservation_span_hours.to_at
        and spell_hours.to_at > reservation_span_hours.from_at
),

final as (
    select
        instance_id,
        reservation_id,
        hour_at,
        cast(sum(used_us) as bigint) as reserved_used_us,
        {{ sum_all_known(cent_us('unit_price_cents', 'used_us')) }} as allocated_cost_cent_us
    from used_spans
    group by instance_id, reservation_id, hour_at
)

select * from final
