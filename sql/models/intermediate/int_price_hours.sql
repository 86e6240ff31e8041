with

price_periods as (
    select * from {{ ref('int_price_periods') }}
),

recounted_instances as (
    select * from {{ ref('int_recounted_instances') }}
),

touched_hours as (
    select
        price_periods.*,
        {{ each_hour(
            'greatest(price_periods.starts_at, recounted_instances.hours_from_at)', 'price_periods.ends_at'
        ) }} as hour_at
    from price_periods
    inner join recounted_instances
        on price_periods.instance_id = recounted_instances.instance_id
        and price_periods.ends_at > recounted_instances.hours_from_at
    {{ from_each_hour(
        'greatest(price_periods.starts_at, recounted_instances.hours_from_at)', 'price_periods.ends_at'
    ) }}
),

final as (
    select
        instance_id,
        hour_at,
        price_cents,
        greatest(starts_at, hour_at) as from_at,
        least(ends_at, {{ next_hour('hour_at') }}) as to_at
    from touched_hours
)

select * from final
