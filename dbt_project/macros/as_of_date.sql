{% macro as_of_date() -%}
    cast({{ as_of() }} at time zone 'UTC' as date)
{%- endmacro %}
