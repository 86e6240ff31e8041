{{ config(materialized='view') }}

with

charges as (
    select * from {{ relocatable(ref('fct_charges')) }}
),

gaps as (
    select
        project_id,
        charge_kind,
        'no price or rate' as lacks,
        false as is_in_file,
        month,
        left_out_us as lacking_us
    from charges
    where left_out_us > 0 or cost_cent_us is null
    union all
    select
        project_id,
        charge_kind,
        'instance type' as lacks,
        true as is_in_file,
        month,
        quantity_us as lacking_us
    from charges
    where cost_cent_us is not null and instance_type_id is null
    union all
    select
        project_id,
        charge_kind,
        'number of GPUs' as lacks,
        true as is_in_file,
        month,
        quantity_us as lacking_us
    from charges
    where cost_cent_us is not null and instance_type_id is not null and num_gpus is null
),

sums as (
    select
        project_id,
        charge_kind,
        lacks,
        is_in_file,
        month,
        count(*) as charges,
        cast(coalesce(sum(lacking_us), 0) as bigint) as lacking_us
    from gaps
    group by project_id, charge_kind, lacks, is_in_file, month
),

final as (
    select
        {{ span_key("charge_kind || ': ' || lacks || ' ' || coalesce(project_id, '')", 'month') }} as charge_gap_id,
        project_id,
        charge_kind,
        lacks,
        is_in_file,
        month,
        charges,
        lacking_us,
        {{ hours('lacking_us') }} as lacking_hours
    from sums
)

select * from final
