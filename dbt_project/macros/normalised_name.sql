{# A country's name as it is compared: case, runs of blanks and the shape of apostrophes do not count. #}
{% macro normalised_name(column) -%}
    lower(trim(regexp_replace(translate({{ column }}, '’‘`', ''''''''), '\s+', ' ', 'g')))
{%- endmacro %}
