with

fields as (
    select * from {{ ref('int_reconciled_fields') }}
    where not agrees
),

pause_credits as (
    select * from {{ ref('int_summary_pause_credits') }}
),

active_times as (
    select * from {{ ref('int_summary_active_times') }}
),

vendor_readings as (
    select * from {{ ref('vendor_readings') }}
),

ours as (
    select * from {{ ref('int_summary_active_times') }}
    where reading = 'ours'
),

alternatives as (
    select
        'flex_use_credits_usd' as field,
        reservation_id,
        reading,
        {{ wide('credit_cent_us') }} as alternative,
        differing_pauses as differing_count,
        more_us,
        'pause' as noun
    from pause_credits
    union all
    select
        'active_instance_hours' as field,
        active_times.reservation_id,
        active_times.reading,
        {{ wide('active_times.active_us') }} as alternative,
        active_times.differing_spells as differing_count,
        active_times.active_us - ours.active_us as more_us,
        'spell' as noun
    from active_times
    inner join ours on active_times.reservation_id = ours.reservation_id
    union all
    select
        'idle_instance_hours' as field,
        active_times.reservation_id,
        active_times.reading,
        {{ wide('active_times.reserved_us - active_times.active_us') }} as alternative,
        active_times.differing_spells as differing_count,
        ours.active_us - active_times.active_us as more_us,
        'spell' as noun
    from active_times
    inner join ours on active_times.reservation_id = ours.reservation_id
),

final as (
    select
        fields.reservation_id,
        fields.field,
        alternatives.reading,
        vendor_readings.words,
        {{ counted_in_words('alternatives.differing_count', 'alternatives.noun') }} || ', '
        || {{ hours_in_words('alternatives.more_us') }}
        || case when alternatives.more_us < 0 then ' less' else ' more' end as extent
    from fields
    inner join alternatives
        on fields.reservation_id = alternatives.reservation_id
        and fields.field = alternatives.field
    inner join vendor_readings on alternatives.reading = vendor_readings.reading
    where abs(alternatives.alternative - fields.vendors) <= fields.tolerance
)

select * from final
