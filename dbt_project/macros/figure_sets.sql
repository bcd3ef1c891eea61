{% macro figure_sets() -%}
    (values ('all', true), ('real', false)) as figure_set (figures, takes_synthetic)
{%- endmacro %}
