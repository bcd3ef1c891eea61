{% macro reference_provenance() -%}
    false as is_synthetic,
    cast(false as boolean) as is_modelled,
    cast('{}' as bigint[]) as fetch_ids
{%- endmacro %}
