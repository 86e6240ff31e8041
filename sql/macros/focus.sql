{#-
What FOCUS, the FinOps Open Cost and Usage Specification, calls things. Its columns have capitals, so they are quoted.
-#}

{#- A column of FOCUS. -#}
{% macro focus(name) -%}
    {%- if target.type in ('spark', 'databricks', 'bigquery') -%}
        `{{ name }}`
    {%- else -%}
        "{{ name }}"
    {%- endif -%}
{%- endmacro %}

{#- Columns of FOCUS that have no value here, each of them named: what they would say the API does not tell. -#}
{% macro focus_unknown(names) -%}
    {%- for name in names -%}
        cast(null as {{ text() }}) as {{ focus(name) }}
        {%- if not loop.last %},
        {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- The id of the account that is billed: what the variable names, else the project, as the API names no organisation. -#}
{% macro billing_account(project_id) -%}
    {{ "'" ~ var("billing_account_id") | replace("'", "''") ~ "'" if var("billing_account_id") else project_id }}
{%- endmacro %}

{#- What a price is of, without the price: type, region and regime; null where the type is unknown or nothing is priced. -#}
{% macro sku_price() -%}
    case
        when quantity_hours is not null then
            instance_type_id || '/' || coalesce(region, '')
            || case when charge_kind = 'spot_usage' then '/spot' else '/reserved' end
    end
{%- endmacro %}

{#- The commitment that a purchase is of, as the JSON object that FOCUS asks for. -#}
{% macro contract_applied(contract_id, commitment_id, cost_usd) -%}
    '{"Elements": [{"ContractId": ' || {{ json_string(contract_id) }}
    || ', "ContractCommitmentId": ' || {{ json_string(commitment_id) }}
    || ', "ContractCommitmentAppliedCost": ' || cast({{ cost_usd }} as {{ text() }}) || '}]}'
{%- endmacro %}
