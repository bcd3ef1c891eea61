{% macro normalised_name(column) -%}
    lower(trim(regexp_replace(translate({{ column }}, '’‘`', ''''''''), '\s+', ' ', 'g')))
{%- endmacro %}
