{#- Fails on every combination of the columns that more than one row has, or that has a null in it. -#}
{% test unique_together(model, columns) %}
    select
        {{ columns | join(", ") }},
        count(*) as row_count
    from {{ model }}
    group by {{ columns | join(", ") }}
    having
        count(*) > 1
        {% for column in columns %}
            or {{ column }} is null
        {% endfor %}
{% endtest %}
