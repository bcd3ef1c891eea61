{% macro mobility_minimum_coverage() -%}
    0.5
{%- endmacro %}
