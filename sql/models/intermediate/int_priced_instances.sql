{{ config(materialized='table') }}

with

recounted_instances as (
    select * from {{ ref('int_recounted_instances') }}
),

instances as (
    select * from {{ ref('int_instances') }}
    where order_type = 'spot'
),

billed_spells as (
    select * from {{ ref('int_status_spells') }}
    where is_billed and {{ since_first_change('ended_at') }}
),

history_days as (
    select * from {{ ref('int_history_days') }}
    where first_price_at is not null
),

billed_instances as (
    select distinct recounted_instances.instance_id
    from recounted_instances
    inner join billed_spells
        on recounted_instances.instance_id = billed_spells.instance_id
        and recounted_instances.hours_from_at < billed_spells.ended_at
),

-- The last price that began before all that is counted may hold still: it began on the last such day with a price.
-- Without such a day no price began before.
final as (
    select
        recounted_instances.instance_id,
        instances.as_of,
        recounted_instances.hours_from_at,
        coalesce(max(history_days.first_price_at), recounted_instances.hours_from_at) as prices_from_at
    from recounted_instances
    inner join billed_instances on recounted_instances.instance_id = billed_instances.instance_id
    inner join instances on recounted_instances.instance_id = instances.instance_id
    left join history_days
        on recounted_instances.instance_id = history_days.instance_id
        and recounted_instances.hours_from_at >= history_days.first_price_at
    group by recounted_instances.instance_id, instances.as_of, recounted_instances.hours_from_at
)

select * from final
