-- In each hour of an instance the eight phases add up to its time, which is an hour at most.
with

instance_hours as (
    select * from {{ get_where_subquery(ref('fct_instance_hours')) }}
)

select * from instance_hours
where
    total_us <> (
        waiting_us + starting_us + running_us + noticed_us + stopping_us + paused_us + interrupted_us + unknown_us
    )
    or total_us not between 1 and {{ seconds_us(3600) }}
    or up_us + down_us + planned_us + unknown_us > total_us
    or up_us < 0
    or down_us < 0
    or planned_us < 0
