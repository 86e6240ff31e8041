-- A unit price that stands in for missing grants is kept in whole cents: a finer one would be rounded.
with

reservations as (
    select * from {{ ref('int_reservations') }}
),

grants as (
    select * from {{ ref('int_reservation_grants') }}
    where terms_source = 'listing'
)

select grants.*
from grants
inner join reservations on grants.reservation_id = reservations.reservation_id
where reservations.unit_price_usd * 100 <> grants.unit_price_cents
