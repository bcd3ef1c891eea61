{# Provenance columns of a mart that rests on reviewed seeds alone. #}
{% macro reference_provenance() -%}
    false as is_synthetic,
    cast(false as boolean) as is_modelled,
    cast('{}' as bigint[]) as fetch_ids
{%- endmacro %}

{# Day, in UTC, of the moment that the build reads raw at. #}
{% macro as_of_date() -%}
    cast({{ as_of() }} at time zone 'UTC' as date)
{%- endmacro %}
