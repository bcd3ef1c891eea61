{% macro versions(source_name, resource) -%}
    with version as (
        select * from {{ source(source_name, resource) }}
    ),

    pull as (
        select * from {{ source('landing', 'fetch') }}
    )

    select
        version.*,
        pull.synthetic as is_synthetic
    from version
    inner join pull using (fetch_id)
    where
        version.fetched_from <= {{ as_of() }}
        and version.fetched_to > {{ as_of() }}
{%- endmacro %}
