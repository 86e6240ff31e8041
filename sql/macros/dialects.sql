{#-
What SQL dialects say in different ways, and nothing else: the models, and all other macros, are the same on every
engine. What is not said of an engine by name is as DuckDB says it. Databricks speaks as Spark does.
-#}

{#- A column whose name is a word of the language somewhere. -#}
{% macro word(name) -%}
    {%- if target.type in ('spark', 'databricks', 'bigquery') -%}
        `{{ name }}`
    {%- elif target.type in ('snowflake', 'redshift') -%}
        "{{ name | upper if target.type == 'snowflake' else name }}"
    {%- else -%}
        {{ name }}
    {%- endif -%}
{%- endmacro %}

{#- The type of text of any length. -#}
{% macro text() -%}
    {%- set names = {'bigquery': 'string', 'clickhouse': 'String', 'redshift': 'varchar(65535)'} -%}
    {{ 'string' if target.type in ('spark', 'databricks') else names.get(target.type, 'varchar') }}
{%- endmacro %}

{#- The type of instants: UTC to the microsecond. -#}
{% macro timestamp() -%}
    {%- set names = {'clickhouse': "DateTime64(6, 'UTC')", 'snowflake': 'timestamp_ntz'} -%}
    {{ names.get(target.type, 'timestamp') }}
{%- endmacro %}

{#- The type of whole numbers of 38 digits. -#}
{% macro wide_integer() -%}
    {%- set names = {'duckdb': 'hugeint', 'bigquery': 'bignumeric(38, 0)', 'clickhouse': 'Int128'} -%}
    {{ names.get(target.type, 'decimal(38, 0)') }}
{%- endmacro %}

{#- The type of amounts with 12 places. -#}
{% macro amount() -%}
    {{ 'bignumeric(38, 12)' if target.type == 'bigquery' else 'decimal(38, 12)' }}
{%- endmacro %}

{#- How often one whole number of at most 64 bits goes into another, towards zero. -#}
{% macro whole_quotient(number, divisor) -%}
    {%- if target.type in ('postgres', 'bigquery') -%}
        div({{ number }}, {{ divisor }})
    {%- elif target.type in ('spark', 'databricks') -%}
        ({{ number }}) div {{ divisor }}
    {%- elif target.type == 'snowflake' -%} {#- it divides whole numbers into decimals -#}
        ({{ number }} - mod({{ number }}, {{ divisor }})) / {{ divisor }}
    {%- elif target.type == 'redshift' -%}
        {{ number }} / {{ divisor }}
    {%- elif target.type == 'clickhouse' -%}
        intDiv({{ number }}, {{ divisor }})
    {%- else -%}
        {{ number }} // {{ divisor }}
    {%- endif -%}
{%- endmacro %}

{#- The same of wide whole numbers. -#}
{% macro wide_quotient(number, divisor) -%}
    {%- if target.type in ('spark', 'databricks', 'redshift') -%} {#- no rest, so nothing is rounded at any scale -#}
        cast(({{ number }} - ({{ number }}) % {{ divisor }}) / {{ divisor }} as decimal(38, 0))
    {%- elif target.type == 'bigquery' -%} {#- its whole division is of numbers of 29 digits -#}
        trunc(({{ number }} - mod({{ number }}, {{ divisor }})) / {{ divisor }})
    {%- else -%}
        {{ whole_quotient(number, divisor) }}
    {%- endif -%}
{%- endmacro %}

{#- A whole number of 1e-12ths as an amount. -#}
{% macro twelfth_places(units) -%}
    {%- if target.type in ('spark', 'databricks') -%} {#- a product of more than 38 digits would lose places -#}
        cast(cast({{ units }} as decimal(25, 0)) * cast('0.000000000001' as decimal(12, 12)) as decimal(38, 12))
    {%- elif target.type == 'bigquery' -%}
        cast(cast({{ units }} as bignumeric) * cast('0.000000000001' as bignumeric) as bignumeric(38, 12))
    {%- else -%}
        cast(cast({{ units }} as decimal(38, 0)) * cast('0.000000000001' as decimal(12, 12)) as decimal(38, 12))
    {%- endif -%}
{%- endmacro %}

{#- One amount less another. -#}
{% macro difference(figure, other) -%}
    {%- if target.type in ('spark', 'databricks') -%} {#- with a digit to spare, or it would be taken from the places -#}
        cast({{ figure }} as decimal(37, 12)) - cast({{ other }} as decimal(37, 12))
    {%- else -%}
        cast({{ figure }} - {{ other }} as {{ amount() }})
    {%- endif -%}
{%- endmacro %}

{#- A zoned timestamp as UTC without a zone. -#}
{% macro utc(zoned) -%}
    {%- if target.type in ('spark', 'databricks', 'bigquery') -%} {#- instants have no zone there -#}
        cast({{ zoned }} as timestamp)
    {%- elif target.type == 'snowflake' -%}
        cast(convert_timezone('UTC', {{ zoned }}) as timestamp_ntz)
    {%- elif target.type == 'clickhouse' -%}
        cast({{ zoned }} as {{ timestamp() }})
    {%- else -%}
        timezone('UTC', {{ zoned }})
    {%- endif -%}
{%- endmacro %}

{#- The wall clock of an instant in a zone. -#}
{% macro clock_in(zone, instant) -%}
    {%- if target.type in ('spark', 'databricks') -%}
        from_utc_timestamp({{ instant }}, '{{ zone }}')
    {%- elif target.type in ('snowflake', 'redshift') -%}
        convert_timezone('UTC', '{{ zone }}', {{ instant }})
    {%- elif target.type == 'bigquery' -%}
        timestamp(datetime({{ instant }}, '{{ zone }}'))
    {%- elif target.type == 'clickhouse' -%}
        cast(toString(toTimeZone({{ instant }}, '{{ zone }}')) as {{ timestamp() }})
    {%- else -%}
        timezone('{{ zone }}', timezone('UTC', {{ instant }}))
    {%- endif -%}
{%- endmacro %}

{#- The start of the hour or month of an instant. -#}
{% macro start_of(unit, instant) -%}
    {%- if target.type == 'bigquery' -%}
        timestamp_trunc({{ instant }}, {{ unit }})
    {%- elif target.type == 'clickhouse' -%}
        cast(date_trunc('{{ unit }}', {{ instant }}) as {{ timestamp() }})
    {%- else -%}
        date_trunc('{{ unit }}', {{ instant }})
    {%- endif -%}
{%- endmacro %}

{#- An instant a fixed number of hours, or of months of the calendar, later. -#}
{% macro later_by(number, unit, instant) -%}
    {%- if target.type == 'bigquery' -%}
        timestamp(datetime_add(datetime({{ instant }}), interval {{ number }} {{ unit }}))
    {%- elif target.type == 'clickhouse' -%}
        {{ instant }} + interval {{ number }} {{ unit }}
    {%- else -%}
        {{ instant }} + interval '{{ number }} {{ unit }}'
    {%- endif -%}
{%- endmacro %}

{#- The whole microseconds from one instant to another. -#}
{% macro us_between(from_at, to_at) -%}
    {%- if target.type == 'postgres' -%}
        cast(extract(epoch from ({{ to_at }}) - ({{ from_at }})) * 1000000 as bigint)
    {%- elif target.type in ('spark', 'databricks') -%}
        (unix_micros({{ to_at }}) - unix_micros({{ from_at }}))
    {%- elif target.type == 'bigquery' -%}
        timestamp_diff({{ to_at }}, {{ from_at }}, microsecond)
    {%- elif target.type in ('snowflake', 'redshift') -%}
        datediff(microsecond, {{ from_at }}, {{ to_at }})
    {%- else -%}
        date_diff('microsecond', {{ from_at }}, {{ to_at }})
    {%- endif -%}
{%- endmacro %}

{#- An instant so many microseconds later, a number that may differ from row to row. -#}
{% macro us_after(instant, span_us) -%}
    {%- if target.type == 'postgres' -%} {#- exact for 285 years: an interval is multiplied by a double -#}
        {{ instant }} + {{ span_us }} * interval '1 microsecond'
    {%- elif target.type in ('spark', 'databricks') -%}
        timestamp_micros(unix_micros({{ instant }}) + {{ span_us }})
    {%- elif target.type == 'bigquery' -%}
        timestamp_add({{ instant }}, interval ({{ span_us }}) microsecond)
    {%- elif target.type in ('snowflake', 'redshift') -%}
        dateadd(microsecond, {{ span_us }}, {{ instant }})
    {%- elif target.type == 'clickhouse' -%}
        addMicroseconds({{ instant }}, {{ span_us }})
    {%- else -%}
        {{ instant }} + to_microseconds({{ span_us }})
    {%- endif -%}
{%- endmacro %}

{#- One row for each UTC hour that a span touches: a column that multiplies the rows, with `from_each_hour` after it. -#}
{% macro each_hour(from_at, to_at) -%}
    {%- set first, last = start_of('hour', from_at), us_after(to_at, -1) -%}
    {%- set hours -%} generate_series({{ first }}, {{ last }}, interval '1 hour') {%- endset -%}
    {%- if target.type == 'postgres' -%}
        {{ hours }}
    {%- elif target.type in ('spark', 'databricks') -%}
        explode(case when {{ from_at }} < {{ to_at }} then sequence({{ first }}, {{ last }}, interval '1 hour') end)
    {%- elif target.type == 'bigquery' -%}
        touched_hour
    {%- elif target.type == 'snowflake' -%}
        dateadd(hour, touched_hours.value, {{ first }})
    {%- elif target.type == 'redshift' -%}
        dateadd(hour, {{ _digits(6) }}, {{ first }})
    {%- elif target.type == 'clickhouse' -%}
        addHours({{ first }}, arrayJoin(range(toUInt64(greatest(dateDiff('hour', {{ first }}, {{ last }}) + 1, 0)))))
    {%- else -%}
        unnest({{ hours }})
    {%- endif -%}
{%- endmacro %}

{#- What the rows are joined with, where rows can only be multiplied by a join. -#}
{% macro from_each_hour(from_at, to_at) -%}
    {%- set first, last = start_of('hour', from_at), us_after(to_at, -1) -%}
    {%- if target.type == 'bigquery' -%}
        cross join unnest(generate_timestamp_array({{ first }}, {{ last }}, interval 1 hour)) as touched_hour
    {%- elif target.type == 'snowflake' -%}
        cross join lateral flatten(
            input => array_generate_range(0, datediff(hour, {{ first }}, {{ last }}) + 1)
        ) as touched_hours
    {%- elif target.type == 'redshift' -%} {#- digit by digit, so that a span is tried with few: 114 years at most -#}
        {%- for count in range(1, 7) %}
        inner join (
            {%- for digit in range(10) -%}
                select {{ digit }} as digit {{- ' union all ' if not loop.last -}}
            {%- endfor -%}
        ) as digits_{{ count }} on {{ _digits(count) }} <= datediff(hour, {{ first }}, {{ last }})
        {%- endfor %}
    {%- endif -%}
{%- endmacro %}

{#- The number that the first so many of six digits make. -#}
{% macro _digits(count) -%}
    {%- for place in range(count) -%}
        digits_{{ place + 1 }}.digit * {{ 10 ** (5 - place) }} {{- ' + ' if not loop.last -}}
    {%- endfor -%}
{%- endmacro %}

{#- The value in the latest row of a group, of those that have one. -#}
{% macro in_latest_row(value, instant) -%}
    {%- if target.type in ('spark', 'databricks', 'snowflake', 'bigquery') -%}
        max_by({{ value }}, case when {{ value }} is not null then {{ instant }} end)
    {%- elif target.type == 'clickhouse' -%}
        argMax({{ value }}, {{ instant }})
    {%- else -%}
        arg_max({{ value }}, {{ instant }})
    {%- endif -%}
{%- endmacro %}

{#-
The key of each row of one relation, `asked`, and columns of the latest of those rows of another, `counted`, that have
that key and match; nulls, if none does. PostgreSQL is led to it by an index on key and instant: it would else read all
that ever was, row by row.
-#}
{% macro latest_of_each(asked, counted, key, instant, columns, matched='1 = 1') -%}
    select
        asked.{{ key }},
        {%- for column in columns %}
        {%- if target.type == 'postgres' %}
        latest.{{ column }}
        {%- elif target.type == 'redshift' %} {#- which has no such aggregate, and counts all anew: then none matches -#}
        max(counted.{{ column }}) as {{ column }}
        {%- else %}
        {{ in_latest_row('counted.' ~ column, 'counted.' ~ instant) }} as {{ column }}
        {%- endif %} {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ asked }} as asked
    {%- if target.type == 'postgres' %}
    left join lateral (
        select counted.*
        from {{ counted }} as counted
        where counted.{{ key }} = asked.{{ key }} and {{ matched }}
        order by counted.{{ instant }} desc
        limit 1
    ) as latest on true
    {%- else %}
    left join {{ counted }} as counted
        on asked.{{ key }} = counted.{{ key }}
        and {{ matched }}
    group by asked.{{ key }}
    {%- endif %}
{%- endmacro %}

{#- The texts of a group after one another, in the order given; a text that is null is left out. -#}
{% macro joined_texts(text, separator, in_order_of) -%}
    {%- if target.type in ('spark', 'databricks') -%}
        array_join(
            transform(
                array_sort(collect_list(case when {{ text }} is not null then struct({{ in_order_of }}, {{ text }} as told) end)),
                placed -> placed.told
            ),
            '{{ separator }}'
        )
    {%- elif target.type in ('snowflake', 'redshift') -%}
        listagg({{ text }}, '{{ separator }}') within group (order by {{ in_order_of }})
    {%- elif target.type == 'clickhouse' -%}
        arrayStringConcat(arrayMap(placed -> placed.2, arraySort(groupArray((({{ in_order_of }}), {{ text }})))), '{{ separator }}')
    {%- else -%}
        string_agg({{ text }}, '{{ separator }}' order by {{ in_order_of }})
    {%- endif -%}
{%- endmacro %}

{#- A text as a string of JSON, in its quotation marks. -#}
{% macro json_string(words) -%}
    {%- if target.type == 'bigquery' -%}
        to_json_string({{ words }})
    {%- elif target.type == 'clickhouse' -%}
        toJSONString({{ words }})
    {%- elif target.type in ('duckdb', 'postgres') -%}
        cast(to_json({{ words }}) as {{ text() }})
    {%- else -%} {#- ids, which have no sign that would have to be escaped -#}
        '"' || {{ words }} || '"'
    {%- endif -%}
{%- endmacro %}

{#- A number that rows with other values do not have, but for one pair in 2^64; to be added up over rows in any order. -#}
{% macro digest(columns) -%}
    {%- if target.type == 'postgres' -%}
        {%- set hashed = "hash_record_extended(row(" ~ columns ~ "), 0)" -%}
    {%- elif target.type in ('spark', 'databricks') -%}
        {%- set hashed = "xxhash64(struct(" ~ columns ~ "))" -%}
    {%- elif target.type == 'bigquery' -%}
        {%- set hashed = "farm_fingerprint(to_json_string(struct(" ~ columns ~ ")))" -%}
    {%- elif target.type == 'redshift' -%}
        {%- set hashed = "farmfingerprint64(json_serialize(array(" ~ columns ~ ")))" -%}
    {%- elif target.type == 'clickhouse' -%}
        {%- set hashed = "cityHash64(tuple(" ~ columns ~ "))" -%}
    {%- else -%}
        {%- set hashed = "hash(" ~ columns ~ ")" -%}
    {%- endif -%}
    cast({{ hashed }} as {{ wide_integer() }})
{%- endmacro %}

{#- Empties a table. -#}
{% macro forget_all(relation) -%}
    {{ 'truncate table' if target.type in ('spark', 'databricks') else 'delete from' }} {{ relation }}
    {{- ' where true' if target.type == 'bigquery' }}
{%- endmacro %}

{#-
Forgets the rows of this model that match one of another relation, or of a query in parentheses. `also` asks something of
the row alone, that follows: it spares an engine the rows, or files, of which it is not so.
-#}
{% macro delete_matched(others, name, matched, also='1 = 1') -%}
    delete from {{ this }} as counted
    {%- if target.type in ('spark', 'databricks') %} {#- `also` inside the brackets would spare no file #}
        where {{ also }} and exists (select 1 from {{ others }} as {{ name }} where {{ matched }})
    {%- else %}
        using {{ others }} as {{ name }}
        where {{ matched }}
            and {{ also }}
    {%- endif -%}
{%- endmacro %}

{#- A query to delete by; a table of its own on Spark, which fails where the query reads the same table (seen with 3.5). -#}
{% macro set_aside(name, asked) -%}
    {%- if target.type == 'spark' -%}
        {%- set place = this.incorporate(path={"identifier": name}) -%}
        {%- do run_query("create or replace table " ~ place ~ " using " ~ spark_format() ~ " as " ~ asked) -%}
        {{ place }}
    {%- else -%}
        ({{ asked }})
    {%- endif -%}
{%- endmacro %}

{#- Whether tables forget single rows, and are replaced while they are read: plain files do neither. -#}
{% macro keeps_rows() -%}
    {%- if target.type in ('duckdb', 'postgres') or (target.type == 'spark' and spark_format() == 'iceberg') -%} yes {%- endif -%}
{%- endmacro %}

{#- What tables on Spark are: Parquet files, or Iceberg's tables. -#}
{% macro spark_format() -%}
    {{- env_var('MITHRIL_SPARK_FORMAT', 'parquet') -}}
{%- endmacro %}

{#- Before a build: gives a type that contracts name a name of its own, where the engine calls it otherwise. -#}
{% macro name_types() -%}
    {%- if target.type == 'postgres' -%}
        do $$
        begin
            create domain {{ prefixed_schema('staging') }}.hugeint as numeric(38, 0);
        exception
            when duplicate_object then null;
        end
        $$
    {%- endif -%}
{%- endmacro %}

{#- Before a build: refuses what would make other figures. -#}
{% macro refuse_other_sessions() -%}
    {%- if execute and target.type in ('spark', 'databricks') -%}
        {%- set zone = run_query('select current_timezone()').rows[0][0] -%}
        {%- if zone not in ('UTC', 'Etc/UTC', 'GMT') -%}
            {%- do exceptions.raise_compiler_error("the time zone of the session must be UTC, not " ~ zone) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if var('only_changed', false) and not keeps_rows() -%}
        {%- do exceptions.raise_compiler_error(
            "only_changed is for DuckDB, for PostgreSQL, and for Spark with MITHRIL_SPARK_FORMAT=iceberg"
        ) -%}
    {%- endif -%}
{%- endmacro %}

{#- The engine's name of a type that contracts and seeds name as DuckDB does. -#}
{% macro named_type(type) -%}
    {{ {'varchar': text(), 'timestamp': timestamp(), 'hugeint': wide_integer(), 'decimal(38, 12)': amount()}.get(type, type) }}
{%- endmacro %}
