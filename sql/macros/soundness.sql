{#-
Whether a build may go on from the one before, where dbt is run by hand: on Spark. (`mithril-elt build` keeps that in
`staging.builds`, on DuckDB and PostgreSQL.) `staging.sound_build` has what the last build was made by, if it made all
models, and nothing failed. Whatever else is run takes it away.
-#}

{#- What a build is made by: the models and seeds, the version of dbt, and the variables that its figures hang on. -#}
{% macro _made_by() -%}
    {%- set told = [dbt_version] -%}
    {%- for name in ("report_timezone", "pause_credit_min_seconds", "pause_credit_expiry_months") -%}
        {%- do told.append(var(name) | string) -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values() if node.resource_type in ("model", "seed") -%}
        {%- do told.append(node.name ~ node.checksum.checksum) -%}
    {%- endfor -%}
    {{ local_md5(told | sort | join) }}
{%- endmacro %}

{% macro _sound_build() -%}
    {{ return(api.Relation.create(schema=prefixed_schema("staging"), identifier="sound_build", type="table")) }}
{%- endmacro %}

{#- Before anything is run: refuses to count only what has changed since a build that is not sound, or of other models. -#}
{% macro refuse_unsound() -%}
    {%- if execute and target.type == "spark" and var("only_changed", false) -%}
        {%- set found = load_relation(_sound_build()) -%}
        {%- set made_by = run_query("select made_by from " ~ found).rows[0][0] if found else "" -%}
        {%- if made_by != _made_by() -%}
            {%- do exceptions.raise_compiler_error(
                "only_changed goes on from a build that made all models as they are, in the same zone, and failed nothing:"
                ~ " the last one did not, so build without it"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Before anything is built: until all is, and nothing has failed, nobody may go on from it. -#}
{% macro forget_soundness() -%}
    {%- if execute and target.type == "spark" and flags.WHICH in ("build", "run", "seed") -%}
        {%- do adapter.drop_relation(_sound_build()) -%}
    {%- endif -%}
{%- endmacro %}

{#- After a run: notes what all models were made by, if they were made and nothing failed. -#}
{% macro note_soundness(results) -%}
    {%- if execute and target.type == "spark" and flags.WHICH in ("build", "run") -%}
        {%- set failed = results | rejectattr("status", "in", ("success", "pass", "warn")) | list -%}
        {%- set made = results | selectattr("node.resource_type", "equalto", "model") | list -%}
        {%- set models = graph.nodes.values() | selectattr("resource_type", "equalto", "model") | list -%}
        {%- if not failed and made | length == models | length -%}
            create table {{ _sound_build() }} using {{ spark_format() }} as
            select '{{ _made_by() }}' as made_by
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
