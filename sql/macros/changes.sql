{#-
A build counts all anew, or, with the variable `only_changed`, only what may have changed since the build before:
`int_changed_instances` finds which instances and from when, by what is loaded now beside what that build kept of what
was loaded then. Models of one row an instance and time are `incremental`: they forget what is counted again, and add it.
-#}

{#- Before all that any history tells: from here on, everything. -#}
{% macro since_ever() -%}
    cast('1900-01-01' as {{ timestamp() }})
{%- endmacro %}

{#- Of rows told of an instance, those that this build counts: from an instant on that `int_recounted_instances` names. -#}
{% macro recounted(relation, instant, from_at) -%}
    select counted.*
    from {{ relation }} as counted
    inner join {{ ref('int_recounted_instances') }} as recounted
        on counted.instance_id = recounted.instance_id
    where
        {{ _is_since(instant, from_at) }}
        and {{ _is_since_first(instant, from_at, ref('int_recounted_instances')) }}
{%- endmacro %}

{#- Whether a row told of an instance is from the instant on, or the day, that is named of it. -#}
{% macro _is_since(instant, from_at) -%}
    counted.{{ instant }} >= {{ report_day(from_at) if instant == "day" else from_at }}
{%- endmacro %}

{#- That it is not before the first of them all follows; said, it spares an engine all rows before that. -#}
{% macro _is_since_first(instant, from_at, recounted) -%}
    {%- set first = "min(" ~ from_at ~ ")" -%}
    {%- if instant == "day" -%}
        counted.day >= {{ _first(report_day(first), recounted, 'date') }}
    {%- else -%}
        counted.{{ instant }} >= {{ _first(first, recounted) }}
    {%- endif -%}
{%- endmacro %}

{#-
The first instant, or day, that anything is counted from again. Engines are told which it is where they do not find out
in time: PostgreSQL supposes that a third of all rows are later, DuckDB makes all rows of the views that data tests
look at before it compares them, and Spark reads all files. It is asked for as a text: Python would put an instant into
the driver's own zone.
-#}
{% macro _first(first, relation, type=none) -%}
    {%- set is_given = "__dbt__cte__" in relation | string -%} {#- by a unit test, and in no table -#}
    {%- if _is_told() and not is_given -%}
        {%- set found = run_query("select cast(" ~ first ~ " as " ~ text() ~ ") from " ~ relation).rows[0][0] -%}
        cast({{ "null" if found is none else "'" ~ found ~ "'" }} as {{ type or timestamp() }})
    {%- else -%}
        (select {{ first }} from {{ relation }})
    {%- endif -%}
{%- endmacro %}

{#- The first of the loads of histories that the build before had not seen; null, if there is none. -#}
{% macro first_new_load() -%}
    {{ _first("min(load_id)", "(select load_id from " ~ ref('int_history_loads') ~ " where is_new) as new_loads", text()) }}
{%- endmacro %}

{#- The start of the first price that any hour which is counted may have. -#}
{% macro first_price() -%}
    {{ _first("min(prices_from_at)", ref('int_priced_instances')) }}
{%- endmacro %}

{#- The first day of which a load brought anything that the build before had not seen, as an instant. -#}
{% macro first_loaded_day() -%}
    {{ _first("cast(min(told_on) as " ~ timestamp() ~ ")", ref('int_loaded_days')) }}
{%- endmacro %}

{#- Whether a statement is told what a question has for an answer, as a text that may be empty; not where nobody runs it. -#}
{% macro _is_told() -%}
    {%- set commands = {"postgres": ("build", "run", "test"), "duckdb": ("test",), "spark": ("build", "run", "test")} -%}
    {%- if execute and flags.WHICH in commands.get(target.type, ()) -%} told {%- endif -%}
{%- endmacro %}

{#- What a model that keeps what was so at the build before has of then: nothing, if all is counted anew. -#}
{% macro built_before(now) -%}
    {%- if var('only_changed', false) -%}
        select * from {{ this }}
        where is_held
    {%- else -%}
        select * from {{ now }}
        where false
    {%- endif -%}
{%- endmacro %}

{#- This run of dbt. -#}
{% macro this_run() -%}
    '{{ invocation_id }}'
{%- endmacro %}

{#- The instances of which anything may have changed. -#}
{% macro _changed() -%}
    (
        select * from {{ ref('int_changed_instances') }}
        where hours_from_at is not null
    )
{%- endmacro %}

{#-
The last spell of each changed instance before all that may have changed, which begins where it came to run. Of one that
never ran all are after the instant, which is then no earlier than it must be.
-#}
{% macro _last_settled_spells() -%}
    select
        changed.instance_id,
        coalesce(
            last_runs.started_at,
            {{ us_after('least(changed.hours_from_at, coalesce(changed.first_told_at, changed.hours_from_at))', -1) }}
        ) as spells_from_at
    from {{ ref('int_changed_instances') }} as changed
    inner join (
        {{ latest_of_each(
            _changed(), this, 'instance_id', 'started_at', ['started_at'],
            "counted.started_at < asked.hours_from_at and counted.status = 'RUNNING' and counted.is_up"
        ) }}
    ) as last_runs on changed.instance_id = last_runs.instance_id
{%- endmacro %}

{#-
That an event is not before the first that is told again: it follows from what is settled, and spares an engine that is
told all before. (A model is worded before anything of it is forgotten.)
-#}
{% macro since_first_settled(instant) -%}
    {%- if var('only_changed', false) and _is_told() -%}
        {{ instant }} >= {{ _first('min(spells_from_at)', '(' ~ _last_settled_spells() ~ ') as settled') }}
    {%- else -%}
        1 = 1
    {%- endif -%}
{%- endmacro %}

{#- Before a model of changes of status is built: forgets those after the last settled one of each changed instance. -#}
{% macro forget_changes() -%}
    {{- _refuse_alone() -}}
    {%- if is_incremental() -%}
        {%- if var('only_changed', false) -%}
            {%- set settled = set_aside('last_settled_spells', _last_settled_spells()) -%}
            {{ delete_matched(
                settled, 'settled',
                'counted.instance_id = settled.instance_id and counted.started_at > settled.spells_from_at',
                'counted.started_at > ' ~ _first('min(spells_from_at)', settled ~ ' as settled') if _is_told() else '1 = 1'
            ) }}
        {%- else -%}
            {{ forget_all(this) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Of each changed instance the last change of status that is settled, and the one before it. -#}
{% macro settled_changes() -%}
    {%- if var('only_changed', false) -%}
        select
            instance_id,
            started_at as settled_at,
            previous_status as status_before_settled,
            previous_started_at as started_before_settled_at
        from (
            {{ latest_of_each(
                _changed(), this, 'instance_id', 'started_at', ['started_at', 'previous_status', 'previous_started_at']
            ) }}
        ) as last_changes
    {%- else -%}
        select
            cast(null as {{ text() }}) as instance_id,
            cast(null as {{ timestamp() }}) as settled_at,
            cast(null as {{ text() }}) as status_before_settled,
            cast(null as {{ timestamp() }}) as started_before_settled_at
        where false
    {%- endif -%}
{%- endmacro %}

{#- Of a model that keeps rows from build to build, which instant of a row says whether it is counted again, and since when. -#}
{% macro _counted_again(model_name) -%}
    {%- set ranges = {
        "int_credit_spans": ["hour_at", "hours_from_at"],
        "int_credit_hours": ["hour_at", "hours_from_at"],
        "int_reserved_use_hours": ["hour_at", "hours_from_at"],
        "fct_instance_hours": ["hour_at", "hours_from_at"],
        "fct_spot_hours": ["hour_at", "hours_from_at"],
        "fct_usage_daily": ["day", "hours_from_at"],
        "fct_cost_daily": ["day", "hours_from_at"],
        "fct_uptime_daily": ["day", "recoveries_from_at"],
        "fct_status_spells": ["started_at", "spells_from_at"],
        "fct_pause_credits": ["started_at", "spells_from_at"],
        "fct_interruptions": ["interrupted_at", "spells_from_at"],
        "fct_starts": ["asked_at", "spells_from_at"],
    } -%}
    {{ ranges.get(model_name, []) | join(" ") }}
{%- endmacro %}

{#- Before a model is built: forgets the rows that this build counts again; those of no instance every build does. -#}
{% macro forget() -%}
    {{- _refuse_alone() -}}
    {%- set recounted = ref('int_recounted_instances') -%}
    {%- if is_incremental() and var('only_changed', false) -%}
        {%- set instant, from_at = _counted_again(this.identifier).split() -%}
        {{ delete_matched(
            recounted, 'recounted',
            'counted.instance_id = recounted.instance_id and ' ~ _is_since(instant, from_at),
            _is_since_first(instant, from_at, recounted)
        ) }}
    {%- elif is_incremental() -%}
        {{ forget_all(this) }}
    {%- endif -%}
{%- endmacro %}

{#- Before the days of the histories are compared: those that were gone at the build before are forgotten. -#}
{% macro forget_days_gone() -%}
    {%- if is_incremental() and var('only_changed', false) -%}
        delete from {{ this }}
        where not is_held
    {%- endif -%}
{%- endmacro %}

{#- Before the days of the histories are compared: all are as the build before found them. -#}
{% macro forget_changed_days() -%}
    {%- if is_incremental() and var('only_changed', false) -%}
        update {{ this }}
        set is_changed = false
        where is_changed
    {%- elif is_incremental() -%}
        {{ forget_all(this) }}
    {%- endif -%}
{%- endmacro %}

{#- Before a model is built: forgets the rows that are of no instance, which every build counts again. -#}
{% macro forget_unowned() -%}
    {%- if is_incremental() and var('only_changed', false) -%}
        delete from {{ this }}
        where instance_id is null
    {%- endif -%}
{%- endmacro %}

{#- A model that adds to what it has is right only in the same run of dbt that found what has changed. -#}
{% macro _refuse_alone() -%}
    {%- set changed = ref('int_changed_instances') -%}
    {%- if execute -%}
        {%- set others = "select 1 from " ~ changed ~ " where counted_by <> " ~ this_run() ~ " limit 1" -%}
        {%- if run_query(others).rows | length > 0 -%}
            {%- do exceptions.raise_compiler_error("build all models, or select +" ~ this.identifier ~ " as well") -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Whether a question has any answer, found out before it is built upon: an engine would make all rows, to keep none. -#}
{% macro has_any(asked) -%}
    {%- if _is_told() -%}
        {{ "1 = 1" if run_query(asked ~ " limit 1").rows | length > 0 else "1 = 0" }}
    {%- else -%}
        1 = 1
    {%- endif -%}
{%- endmacro %}

{#-
The reservations of which the whole is looked at again: those of other terms, and those that have ended since the build
before. Of others the days that may be new are, which is as good, since what was so before was looked at then.
-#}
{% macro reservations_to_sum() -%}
    select
        reservations.reservation_id,
        reservations.ends_at <= reservations.as_of as has_ended
    from {{ ref('dim_reservations') }} as reservations
    inner join {{ ref('int_reservation_terms') }} as terms on reservations.reservation_id = terms.reservation_id
    where
        terms.is_changed
        or (
            reservations.ends_at <= reservations.as_of
            and (
                reservations.ends_at >= terms.first_as_of
                or {{ since_first_change('reservations.ends_at') }}
            )
        )
{%- endmacro %}

{#- Of rows by the hour or day, those from the first on that may be other than at the build before; all, if all may. -#}
{% macro since_first_change(instant, first='min(hours_from_at)') -%}
    {{ instant }} >= {{ _first(first, ref('int_recounted_instances')) }}
{%- endmacro %}

{#-
The rows that a data test looks at: those that this build has counted, all if it has counted all. What was kept passed
the tests of the build that counted it; after one that failed all is counted anew.
-#}
{% macro get_where_subquery(relation) -%}
    {%- set prefix = var("schema_prefix") ~ "_" if var("schema_prefix") else "" -%}
    {%- set place = {"schema": prefix ~ "staging", "identifier": "int_recounted_instances"} -%}
    {%- set recounted = relation.incorporate(path=place) -%}
    {%- set counted_again = _counted_again(relation.identifier).split() if var('only_changed', false) -%}
    {%- if relation.identifier == "fct_opportunities" and var('only_changed', false) -%}
        (
            select * from {{ relation }}
            where hour_at >= {{ _first("min(hours_from_at)", recounted) }}
        ) as counted_rows
    {%- elif counted_again -%}
        {%- set instant, from_at = counted_again -%}
        (
            select counted.*
            from {{ relation }} as counted
            inner join {{ recounted }} as recounted on counted.instance_id = recounted.instance_id
            where {{ _is_since(instant, from_at) }} and {{ _is_since_first(instant, from_at, recounted) }}
            {%- if relation.identifier == "fct_cost_daily" %} {#- the one that also has rows of no instance -#}
                union all
                select * from {{ relation }}
                where instance_id is null
            {%- endif %}
        ) as counted_rows
    {%- else -%}
        {{- relation -}}
    {%- endif -%}
{%- endmacro %}
