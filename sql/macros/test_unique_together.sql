{#- Fails on every combination of the columns that more than one row has, or that has a null where none may be. -#}
{% test unique_together(model, columns, may_be_null=[]) %}
    select
        {{ columns | join(", ") }},
        count(*) as row_count
    from {{ model }}
    group by {{ columns | join(", ") }}
    having
        count(*) > 1
        {% for column in columns if column not in may_be_null %}
            or {{ column }} is null
        {% endfor %}
{% endtest %}
