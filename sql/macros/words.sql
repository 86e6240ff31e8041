{#- What is said to people: parts of sentences, made from figures. -#}

{#- A number and what is counted: `1 pause`, `3 pauses`. -#}
{% macro counted_in_words(number, noun) -%}
    cast({{ number }} as {{ text() }}) || ' ' || {{ noun }} || case when {{ number }} = 1 then '' else 's' end
{%- endmacro %}

{#- Columns as one text, which differs if one of them does; null is a value like any other. -#}
{% macro in_one_text(columns) -%}
    {%- for column in columns -%}
        coalesce(cast({{ column }} as {{ text() }}), '')
        {%- if not loop.last %} || '|' || {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- How long a pause must last to earn credit, in whole minutes. -#}
{% macro least_credited_minutes() -%}
    {{ (var('pause_credit_min_seconds') | int) // 60 }}
{%- endmacro %}

{#- What an opportunity asks whoever can act on it to do; of what is over nothing. -#}
{% macro advice_of(opportunity, is_over) -%}
    case
        when {{ opportunity }} = 'given_back' then 'It was given back: this is what the credit for it leaves of its price.'
        when {{ is_over }} then 'It is over: nothing can be done about it any more.'
        when {{ opportunity }} = 'pause_when_idle'
            then 'Pause it when it stands still for {{ least_credited_minutes() }} minutes: that earns credit.'
        when {{ opportunity }} = 'pause_for_longer'
            then 'Pause it for {{ least_credited_minutes() }} minutes at least: less earns nothing.'
        else 'Use these hours, give instances back or reserve fewer: they were paid for, and nothing ran.'
    end
{%- endmacro %}
