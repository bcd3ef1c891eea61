{% macro code_articles() -%}
    {{ return([3, 4, 5, 6, 7, 8, 9, 10]) }}
{%- endmacro %}
