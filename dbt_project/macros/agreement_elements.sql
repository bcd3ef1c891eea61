{% macro agreement_elements() -%}
    {{ return(['code_reference', 'ethical', 'health_ministry', 'co_benefit', 'source_safeguard']) }}
{%- endmacro %}
