{# The versions of a landed resource that were current at var('as_of'), with `is_synthetic` of the
   fetch that brought each. The only way in which models read raw. #}
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

{% macro as_of() -%}
    cast('{{ var("as_of") }}' as timestamptz)
{%- endmacro %}

{# A build without a moment would read no version at all and give empty marts without an error. #}
{% macro require_as_of() -%}
    {%- if execute and flags.WHICH in ('run', 'build') and not flags.EMPTY and var('as_of') == 'infinity' -%}
        {{ exceptions.raise_compiler_error("set the variable as_of to the moment to build, such as --vars '{as_of: 2025-01-15}'") }}
    {%- endif -%}
{%- endmacro %}
