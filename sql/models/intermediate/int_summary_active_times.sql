{{ config(materialized='table') }}

with

status_times as (
    select * from {{ ref('int_summary_status_times') }}
),

summaries as (
    select * from {{ ref('int_usage_summaries') }}
),

spans as (
    select * from {{ ref('int_reservation_spans') }}
    where is_past
),

readings as (
    {% for reading in ('ours', 'up', 'running', 'not_paused') %}
        select '{{ reading }}' as reading
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

reserved as (
    select
        summaries.reservation_id,
        coalesce(sum(spans.quantity * {{ us_between('spans.from_at', 'spans.to_at') }}), 0) as reserved_us
    from summaries
    left join spans
        on summaries.reservation_id = spans.reservation_id
        and summaries.vendor_as_of = spans.known_at
    group by summaries.reservation_id
),

read_times as (
    select
        status_times.*,
        readings.reading,
        case readings.reading
            when 'ours' then status_times.is_up
            when 'up' then status_times.status in ('RUNNING', 'RELOCATING', 'PREEMPTING')
            when 'running' then status_times.status = 'RUNNING'
            when 'not_paused' then status_times.status <> 'PAUSED'
        end as is_active
    from status_times
    cross join readings
),

sums as (
    select
        reservation_id,
        reading,
        sum(case when is_active then reserved_us else 0 end) as active_us,
        sum(case when is_active then 0 else reserved_us end) as other_us,
        cast(sum(case when is_active <> is_up then spell_count else 0 end) as bigint) as differing_spells
    from read_times
    group by reservation_id, reading
),

final as (
    select
        reserved.reservation_id,
        readings.reading,
        cast(reserved.reserved_us as bigint) as reserved_us,
        -- Reserved time without any instance is not paused either.
        cast(
            case
                when readings.reading = 'not_paused' then reserved.reserved_us - coalesce(sums.other_us, 0)
                else coalesce(sums.active_us, 0)
            end as bigint
        ) as active_us,
        coalesce(sums.differing_spells, 0) as differing_spells
    from reserved
    cross join readings
    left join sums
        on reserved.reservation_id = sums.reservation_id
        and readings.reading = sums.reading
)

select * from final
