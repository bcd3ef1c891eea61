{% macro union_fetch_ids(column='fetch_ids') -%}
    array(
        select distinct merged.fetch_id
        from
            unnest(
                cast(string_to_array(string_agg(array_to_string({{ column }}, ','), ','), ',') as bigint[])
            ) as merged (fetch_id)
        order by merged.fetch_id
    )
{%- endmacro %}
