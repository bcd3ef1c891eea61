{% macro oecd_quantity() -%}
    case measure when 'stock' then 'foreign_trained' when 'inflow' then 'foreign_trained_inflow' else measure end
{%- endmacro %}
