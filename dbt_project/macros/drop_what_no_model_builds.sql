{% macro drop_what_no_model_builds() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set schemas = [] -%}
        {%- set built = [] -%}
        {%- for model in graph.nodes.values() if model.resource_type == 'model' -%}
            {%- do schemas.append("'" ~ model.schema ~ "'") -%}
            {%- do built.append(model.schema ~ '.' ~ model.alias) -%}
        {%- endfor -%}
        {#- What dbt is building at this moment, in this process or another, is not left over. -#}
        {%- set standing = run_query(
            "select schema_of.nspname, relation.relname from pg_class as relation "
            "inner join pg_namespace as schema_of on relation.relnamespace = schema_of.oid "
            "where relation.relkind in ('r', 'v') and schema_of.nspname in (" ~ schemas | unique | join(', ') ~ ") "
            "and relation.relname not like '%\\_\\_dbt\\_%'"
        ) -%}
        {%- for schema, name in standing.rows if schema ~ '.' ~ name not in built -%}
            {%- do log(schema ~ '.' ~ name ~ ' is built by no model: it is dropped', info=true) -%}
            {%- set relation = adapter.get_relation(target.database, schema, name) -%}
            {%- if relation is not none -%}
                {%- do adapter.drop_relation(relation) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
