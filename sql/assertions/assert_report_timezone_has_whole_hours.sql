-- Hours are UTC hours, so a day of `report_timezone` must begin on one: its offset must be whole hours.
with

instance_hours as (
    select distinct hour_at from {{ get_where_subquery(ref('fct_instance_hours')) }}
)

select * from instance_hours
where {{ report_clock('hour_at') }} <> {{ hour_of(report_clock('hour_at')) }}
