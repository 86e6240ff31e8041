-- More instances up than reserved: the vendor's data disagree with themselves, and unused time is below zero.
{{ config(severity='warn') }}

with

reservation_hours as (
    select * from {{ ref('fct_reservation_hours') }}
)

select * from reservation_hours
where unused_us < 0
