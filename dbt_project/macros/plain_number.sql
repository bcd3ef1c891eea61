{% macro plain_number(value) -%}
    case
        when {{ value }} ~ '^\s*-?\d{1,12}(\.\d{1,10})?\s*$' then cast({{ value }} as numeric)
    end
{%- endmacro %}
