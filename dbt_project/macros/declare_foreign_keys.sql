{# Declares the foreign keys of the contracts on the tables as they now stand, for whoever reads the catalogue.
   PostgreSQL does not enforce them: the mart gate judges every row before anything is published, names the rows
   at fault and stops, where an enforced key would only make the build and each publication slower. #}
{% macro declare_foreign_keys() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set tables = {} -%}
        {%- for model in graph.nodes.values() if model.resource_type == 'model' and model.constraints -%}
            {%- set relation = adapter.get_relation(model.database, model.schema, model.alias) -%}
            {%- if relation is not none and relation.is_table -%}
                {%- do tables.update({model.name: relation}) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set statements = [] -%}
        {%- for model in graph.nodes.values() if model.resource_type == 'model' and model.name in tables -%}
            {%- for key in model.constraints if key.type == 'foreign_key' -%}
                {#- ref('dim_country') as declared, or the relation's quoted name once dbt compiled it. -#}
                {%- set parent = (key.to | replace("'", '"')).split('"')[-2] -%}
                {%- if parent in tables -%}
                    {%- do statements.append(
                        'alter table ' ~ tables[model.name] ~ ' add foreign key (' ~ key.columns | join(', ')
                        ~ ') references ' ~ tables[parent] ~ ' (' ~ key.to_columns | join(', ') ~ ') not enforced'
                    ) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
        {{ statements | join(';\n') }}
    {%- endif -%}
{%- endmacro %}
