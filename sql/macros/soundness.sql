{#-
Whether a build may go on from the one before, where dbt is run by hand: on Spark with Iceberg's tables. (On DuckDB and
PostgreSQL `mithril-elt build` keeps that in `staging.builds`.) `staging.sound_build` has what the last build was made by,
if it made all models and nothing failed; whatever else dbt builds takes that away.
-#}

{#- Whether dbt is asked to build something here. -#}
{% macro _is_building() -%}
    {%- if execute and target.type == "spark" and keeps_rows() and flags.WHICH in ("build", "run", "seed") -%} yes {%- endif -%}
{%- endmacro %}

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

{#- Before anything is built: refuses to count only what has changed since a build that is not sound, or of other models. -#}
{% macro refuse_unsound() -%}
    {%- if _is_building() and var("only_changed", false) -%}
        {%- set place = api.Relation.create(schema=prefixed_schema("staging"), identifier="sound_build") -%}
        {%- set found = run_query("select made_by from " ~ place).rows if load_relation(place) else [] -%}
        {%- if not found or found[0][0] != _made_by() -%}
            {%- do exceptions.raise_compiler_error(
                "only_changed goes on from a build that made all models as they are, in the same zone, and failed nothing:"
                ~ " the last one did not, so build without it"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Before anything is built: until all is, and nothing has failed, nobody may go on from it. -#}
{% macro forget_soundness() -%}
    {%- if _is_building() -%}
        {{ _note_made_by("nothing") }}
    {%- endif -%}
{%- endmacro %}

{#- After a run: notes what all models were made by, if they were made and nothing failed. -#}
{% macro note_soundness(results) -%}
    {%- if _is_building() -%}
        {%- set failed = results | rejectattr("status", "in", ("success", "pass", "warn")) | list -%}
        {%- set made = results | selectattr("node.resource_type", "equalto", "model") | list -%}
        {%- set models = graph.nodes.values() | selectattr("resource_type", "equalto", "model") | list -%}
        {%- if not failed and made | length == models | length -%}
            {{ _note_made_by(_made_by()) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro _note_made_by(what) -%}
    create or replace table {{ prefixed_schema("staging") }}.sound_build using iceberg as
    select '{{ what }}' as made_by
{%- endmacro %}
