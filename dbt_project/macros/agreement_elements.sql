{# Elements of the Code that a report may tick for an agreement, by their part of the canonical item. #}
{% macro agreement_elements() -%}
    {{ return(['code_reference', 'ethical', 'health_ministry', 'co_benefit', 'source_safeguard']) }}
{%- endmacro %}
