{% macro drop_reshaped_seeds() -%}
    {%- if execute and flags.WHICH in ('build', 'seed') -%}
        {%- set landed = run_query(
            "select relation.relname, string_agg(shape, ', ' order by shape collate \"C\") "
            "from pg_class as relation inner join pg_attribute as attribute on relation.oid = attribute.attrelid "
            "cross join lateral concat_ws(' ', attname, format_type(atttypid, atttypmod)) as shape "
            "where relation.relnamespace = to_regnamespace('reference') and relation.relkind = 'r' "
            "and attribute.attnum > 0 and not attribute.attisdropped group by relation.relname"
        ) -%}
        {%- set shapes = dict(landed.rows.values()) -%}
        {%- for seed in graph.nodes.values() if seed.resource_type == 'seed' and seed.alias in shapes -%}
            {%- set columns = [] -%}
            {%- for column, type in seed.config.column_types.items() -%}
                {%- do columns.append(column ~ ' ' ~ type) -%}
            {%- endfor -%}
            {%- if columns | sort | join(', ') != shapes[seed.alias] -%}
                {%- do log('seed ' ~ seed.alias ~ ' has another shape: its table is made anew', info=true) -%}
                {%- do adapter.drop_relation(adapter.get_relation(seed.database, seed.schema, seed.alias)) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
