-- Billed time is either priced or unpriced, and no time is priced twice.
with

instance_hours as (
    select * from {{ get_where_subquery(ref('fct_instance_hours')) }}
)

select * from instance_hours
where
    priced_us + unpriced_us <> billed_us
    or priced_us < 0
    or unpriced_us < 0
    or billed_us > total_us
    or spot_cost_cent_us < 0
