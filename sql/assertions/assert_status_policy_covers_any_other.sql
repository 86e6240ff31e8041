-- `status_policy` has exactly one row for any other status, and its phase is unknown.
with

policy as (
    select * from {{ ref('status_policy') }}
    where status = '*'
)

select count(*) as rows_for_any_other from policy
having count(*) <> 1 or max(phase) <> 'unknown'
