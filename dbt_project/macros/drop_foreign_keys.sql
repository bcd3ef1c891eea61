{# Drops the foreign keys of the tables that dbt builds, before it replaces any. Two tables replaced at once
   would otherwise each wait for the other's lock on a third that refers to both. #}
{% macro drop_foreign_keys() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set schemas = [] -%}
        {%- for model in graph.nodes.values() if model.resource_type == 'model' -%}
            {%- do schemas.append("'" ~ model.schema ~ "'") -%}
        {%- endfor -%}
        {%- set standing = run_query(
            "select format('alter table %s drop constraint %I', conrelid::regclass, conname) from pg_constraint "
            "inner join pg_namespace on connamespace = pg_namespace.oid "
            "where contype = 'f' and nspname in (" ~ schemas | unique | join(', ') ~ ")"
        ) -%}
        {{ standing.columns[0].values() | join(';\n') }}
    {%- endif -%}
{%- endmacro %}
