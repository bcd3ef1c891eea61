{# As dbt has it, but without foreign keys: in the candidate they are declared when all of it is built, see
   declare_foreign_keys. #}
{% macro postgres__get_table_columns_and_constraints() -%}
    {%- set keys = model['constraints'] | rejectattr('type', 'equalto', 'foreign_key') | list -%}
    {%- set columns = adapter.render_raw_columns_constraints(raw_columns=model['columns']) -%}
    {%- set constraints = adapter.render_raw_model_constraints(raw_constraints=keys) -%}
    ({{ (columns + constraints) | join(', ') }})
{%- endmacro %}
