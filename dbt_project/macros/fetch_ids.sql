{# Aggregate: the sorted distinct fetch ids of a group's rows. #}
{% macro fetch_ids(column='fetch_id') -%}
    array_agg(distinct {{ column }} order by {{ column }})
{%- endmacro %}

{# Row-wise: the sorted distinct union of bigint[] columns, any of which may be null or hold nulls. #}
{% macro merge_fetch_ids(columns) -%}
    array(
        select distinct merged.fetch_id
        from unnest({{ columns | join(' || ') }}) as merged (fetch_id)
        where merged.fetch_id is not null
        order by merged.fetch_id
    )
{%- endmacro %}

{# Aggregate: the sorted distinct union of a bigint[] column over a group's rows. The ids travel as
   text because PostgreSQL's array_agg takes no arrays of unequal length. #}
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

{# Aggregate: the sorted distinct union of a text[] column over a group's rows, elements without commas. #}
{% macro union_texts(column) -%}
    array(
        select distinct merged.element
        from
            unnest(string_to_array(string_agg(nullif(array_to_string({{ column }}, ','), ''), ','), ','))
            as merged (element)
        order by merged.element
    )
{%- endmacro %}
