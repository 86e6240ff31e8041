{#-
Money and time without floating point. A cost is kept as cent-microseconds (cents for an hour x microseconds),
a 128-bit integer, through every sum; these macros divide once, at the edge, to 12 decimal places, half-even.

1 hour is 3,600,000,000 us, so hours at scale 12 are us x 2500 / 9; 1 dollar is 360,000,000,000 cent-us, so
dollars at scale 12 are cent-us x 25 / 9. Nine is odd: there is never a tie to break.
-#}

{#- A sum too large for 64 bits: 128-bit integers. -#}
{% macro wide(number) -%}
    cast({{ number }} as {{ wide_integer() }})
{%- endmacro %}

{#- Cent-microseconds of a span at a price in cents for an hour. -#}
{% macro cent_us(price_cents, span_us) -%}
    {{ wide(price_cents) }} * {{ span_us }}
{%- endmacro %}

{#-
A price in dollars as whole billionths of a dollar, so that all its nine places are kept; null where it is unknown or
no price at all. What is below nothing or beyond all reason is no price.
-#}
{% macro nano_usd(price_usd) -%}
    case
        when {{ price_usd }} >= 0 and {{ price_usd }} < 1000000000
            then cast(cast({{ price_usd }} as decimal(20, 9)) * 1000000000 as bigint)
    end
{%- endmacro %}

{#- Billionths of a dollar as dollars. -#}
{% macro usd_of_nano(price_nano_usd) -%}
    {{ twelfth_places(wide(price_nano_usd) ~ " * 1000") }}
{%- endmacro %}

{#- Cent-microseconds of a span at such a price for an hour: exact where the price is in whole cents, else the nearest. -#}
{% macro cent_us_at(price_nano_usd, span_us) -%}
    {{ wide_quotient("(" ~ wide(price_nano_usd) ~ " * 2 * " ~ span_us ~ " + 10000000)", 20000000) }}
{%- endmacro %}

{#- Microseconds as hours. -#}
{% macro hours(span_us) -%}
    {{ _ninths(span_us, 2500) }}
{%- endmacro %}

{#- Cent-microseconds as dollars. -#}
{% macro usd(amount_cent_us) -%}
    {{ _ninths(amount_cent_us, 25) }}
{%- endmacro %}

{#- A part in per cent of the whole, half-even at 12 places; null where the whole is 0. Neither is negative. -#}
{% macro percent(part, whole) -%}
    {{ _quotient(part, whole, 10000000) }}
{%- endmacro %}

{#- The dollars for an hour that make up a cost over a span, half-even at 12 places; null without a span. -#}
{% macro usd_per_hour(cost_cent_us, span_us) -%}
    {{ _quotient(cost_cent_us, span_us, 100000) }}
{%- endmacro %}

{#- What a span costs at a price in billionths of a dollar for an hour, half-even at 12 places. -#}
{% macro usd_of_nanos(nanos, span_us) -%}
    {%- set rest = nanos ~ " * mod(" ~ span_us ~ ", 3600000)" -%}
    {%- set floor -%}
        {{ nanos }} * ({{ whole_quotient(span_us, 3600000) }}) + {{ whole_quotient("(" ~ rest ~ ")", 3600000) }}
    {%- endset -%}
    case
        when {{ nanos }} between 0 and 1000000000000 and {{ span_us }} between 0 and 32400000000000
            then {{ _half_even("(" ~ floor ~ ")", "mod(" ~ rest ~ ", 3600000) * 2", 3600000) }}
        else {{ _wide_quotient(wide(nanos) ~ " * " ~ span_us, 3600000, 1) }}
    end
{%- endmacro %}

{#-
A whole number by another, times the square of a factor, half-even in units of 1e-12; null where the divisor is 0. By
slow 128-bit division only where 64 bits overflow: else digit by digit, as on paper, with the factor for ten.
-#}
{% macro _quotient(number, divisor, root) -%}
    {%- set factor = root * root -%}
    {%- set narrow_number, narrow_divisor = "cast(" ~ number ~ " as bigint)", "cast(" ~ divisor ~ " as bigint)" -%}
    {%- set rest = "mod(" ~ narrow_number ~ ", " ~ narrow_divisor ~ ") * " ~ root -%}
    {%- set last_rest = "mod(" ~ rest ~ ", " ~ narrow_divisor ~ ") * " ~ root -%}
    {%- set floor -%}
        {{ whole_quotient(narrow_number, narrow_divisor) }} * {{ factor }}
        + {{ whole_quotient("(" ~ rest ~ ")", narrow_divisor) }} * {{ root }}
        + {{ whole_quotient("(" ~ last_rest ~ ")", narrow_divisor) }}
    {%- endset -%}
    case
        when
            {{ divisor }} between 1 and {{ 9000000000000000000 // root }}
            and {{ number }} between 0 and 9000000000000000000
            and {{ number }} < {{ wide(divisor) }} * {{ 9000000000000000000 // factor - 1 }}
            then {{ _half_even("(" ~ floor ~ ")", "mod(" ~ last_rest ~ ", " ~ narrow_divisor ~ ") * 2", divisor) }}
        else {{ _wide_quotient(number, divisor, factor) }}
    end
{%- endmacro %}

{#- The same of numbers of up to 38 digits, of which neither need be more than nothing. -#}
{% macro _wide_quotient(number, divisor, factor) -%}
    {%- set scaled = wide(number) ~ " * " ~ factor -%}
    {%- set floor = wide_quotient("(" ~ scaled ~ ")", wide(divisor)) -%}
    {{ _half_even(floor, "mod(" ~ scaled ~ ", " ~ wide(divisor) ~ ") * 2", divisor) }}
{%- endmacro %}

{#- A quotient in units of 1e-12, given what it is rounded down and twice what is left then. -#}
{% macro _half_even(floor, twice_rest, divisor) -%}
    case
        when {{ divisor }} = 0 then null
        when {{ twice_rest }} > {{ divisor }} or ({{ twice_rest }} = {{ divisor }} and mod({{ floor }}, 2) = 1)
            then {{ twelfth_places("(" ~ floor ~ " + 1)") }}
        else {{ twelfth_places(floor) }}
    end
{%- endmacro %}

{#-
The sum of an amount that is null where it is unknown: the known part; null if none of it is known; 0 if there was
no time to charge for.
-#}
{% macro sum_known(amount, charged_us) -%}
    case when sum({{ charged_us }}) = 0 then 0 else sum(case when {{ charged_us }} <> 0 then {{ amount }} end) end
{%- endmacro %}

{#- The sum of an amount that is null where it is unknown: null as soon as any part is unknown. -#}
{% macro sum_all_known(amount) -%}
    case when count(*) = count({{ amount }}) then sum({{ amount }}) end
{%- endmacro %}

{#- A number x factor / 9, to the nearest, in units of 1e-12: by slow 128-bit division only where 64 bits overflow. -#}
{% macro _ninths(number, factor) -%}
    {%- set narrow_limit = 9000000000000000000 // (2 * factor) -%}
    {%- set to_nearest = " * " ~ 2 * factor ~ " + case when " ~ number ~ " < 0 then -9 else 9 end)" -%}
    case
        when {{ number }} between -{{ narrow_limit }} and {{ narrow_limit }}
            then {{ twelfth_places(whole_quotient("(cast(" ~ number ~ " as bigint)" ~ to_nearest, 18)) }}
        else {{ twelfth_places(wide_quotient("(" ~ wide(number) ~ to_nearest, 18)) }}
    end
{%- endmacro %}

{#- The amount of a joined row, null where it is unknown; 0 where there is no such row (its key is null). -#}
{% macro zero_unless(joined_key, amount) -%}
    case when {{ joined_key }} is null then 0 else {{ amount }} end
{%- endmacro %}

{#- What is left to pay of the three parts of a cost; a part that is unknown counts as nothing. -#}
{% macro net_cent_us() -%}
    spot_cost_cent_us + coalesce(allocated_cost_cent_us, 0) - coalesce(pause_credit_cent_us, 0)
{%- endmacro %}

{#- Microseconds, whether more or less than nothing, as hours with two places: `2.51 h`. -#}
{% macro hours_in_words(span_us) -%}
    cast(cast({{ hours('abs(' ~ span_us ~ ')') }} as decimal(31, 2)) as {{ text() }}) || ' h'
{%- endmacro %}
