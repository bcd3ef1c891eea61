{% macro fetch_ids(column='fetch_id') -%}
    array_agg(distinct {{ column }} order by {{ column }})
{%- endmacro %}
