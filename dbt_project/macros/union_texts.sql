{% macro union_texts(column) -%}
    array(
        select distinct merged.element
        from
            unnest(string_to_array(string_agg(nullif(array_to_string({{ column }}, ','), ''), ','), ','))
            as merged (element)
        order by merged.element
    )
{%- endmacro %}
