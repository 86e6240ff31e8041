with

credit_spans as (
    select * from {{ ref('int_credit_spans') }}
),

kind_hours as (
    select
        instance_id,
        reservation_id,
        hour_at,
        sum(case when credit_kind <> 'unclaimed' then piece_us else 0 end) as reserved_paused_us,
        {% for kind in ['credited', 'short', 'unclaimed'] %}
            sum(case when credit_kind = '{{ kind }}' then piece_us else 0 end) as {{ kind }}_us,
            sum(case when credit_kind = '{{ kind }}' and rate_cents is null then piece_us else 0 end)
                as {{ kind }}_unrated_us,
            sum(case when credit_kind = '{{ kind }}' then piece_cent_us else 0 end) as {{ kind }}_cent_us
            {{- "," if not loop.last }}
        {% endfor %}
    from credit_spans
    group by instance_id, reservation_id, hour_at
),

final as (
    select
        instance_id,
        reservation_id,
        hour_at,
        cast(reserved_paused_us as bigint) as reserved_paused_us,
        cast(credited_us as bigint) as credited_us,
        cast(credited_unrated_us as bigint) as credited_unrated_us,
        case when credited_unrated_us = 0 then credited_cent_us end as pause_credit_cent_us,
        cast(short_us as bigint) as short_paused_us,
        case when short_unrated_us = 0 then short_cent_us end as short_pause_loss_cent_us,
        cast(unclaimed_us as bigint) as unclaimed_us,
        case when unclaimed_unrated_us = 0 then unclaimed_cent_us end as unclaimed_credit_cent_us
    from kind_hours
)

select * from final
