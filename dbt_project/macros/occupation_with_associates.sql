{% macro occupation_with_associates(column) -%}
    case {{ column }} when '2221' then '2221+3221' when '2222' then '2222+3222' else {{ column }} end
{%- endmacro %}
