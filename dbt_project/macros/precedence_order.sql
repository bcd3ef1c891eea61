{% macro precedence_order() -%}
    value is null, is_synthetic, source_rank, edition desc
{%- endmacro %}
