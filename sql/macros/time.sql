{#- All arithmetic on instants. Every timestamp is UTC without a zone; every span is half-open, [from, to). -#}

{#- A whole number of seconds, known when the SQL is made, as microseconds. -#}
{% macro seconds_us(seconds) -%}
    {{ (seconds | int) * 1000000 }}
{%- endmacro %}

{#- The start of the UTC hour of an instant. -#}
{% macro hour_of(instant) -%}
    {{ start_of('hour', instant) }}
{%- endmacro %}

{#- The start of the UTC hour after the one given. -#}
{% macro next_hour(hour_at) -%}
    {{ later_by(1, 'hour', hour_at) }}
{%- endmacro %}

{#- An instant so many months later. -#}
{% macro months_after(instant, months) -%}
    {{ later_by(months | int, 'month', instant) }}
{%- endmacro %}

{#- The wall clock of an instant in the report's zone. -#}
{% macro report_clock(instant) -%}
    {%- if var("report_timezone") == "UTC" -%}
        {{ instant }}
    {%- else -%}
        {{ clock_in(var("report_timezone"), instant) }}
    {%- endif -%}
{%- endmacro %}

{#- The day of an instant in the report's zone. -#}
{% macro report_day(instant) -%}
    cast({{ report_clock(instant) }} as date)
{%- endmacro %}

{#- The first day of the month of an instant in the report's zone. -#}
{% macro report_month(instant) -%}
    cast({{ start_of('month', report_clock(instant)) }} as date)
{%- endmacro %}

{#- The variable `as_of` as a timestamp. -#}
{% macro pinned_as_of() -%}
    cast('{{ var("as_of") }}' as {{ timestamp() }})
{%- endmacro %}

{#- A key for a span: its owner and its start, readable. -#}
{% macro span_key(owner_id, from_at) -%}
    {{ owner_id }} || '@' || cast({{ from_at }} as {{ text() }})
{%- endmacro %}

