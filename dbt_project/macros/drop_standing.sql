{% macro drop_standing() -%}
    {%- set standing = load_cached_relation(this) -%}
    {%- if standing is not none %}
    drop {{ standing.type }} if exists {{ standing }} cascade;
    {%- endif -%}
{%- endmacro %}
