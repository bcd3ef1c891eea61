{% macro merge_fetch_ids(columns) -%}
    array(
        select distinct merged.fetch_id
        from unnest({{ columns | join(' || ') }}) as merged (fetch_id)
        where merged.fetch_id is not null
        order by merged.fetch_id
    )
{%- endmacro %}
