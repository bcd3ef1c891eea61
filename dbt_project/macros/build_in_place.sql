{# As dbt has it, in one transaction, but without a second relation that takes the place of the first: nobody reads
   what is being built, and renaming, dropping and looking up columns took half of a build's time. #}
{% macro build_in_place(type) -%}
    {%- set relation = this.incorporate(type=type) -%}
    {%- set standing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {#- The planner takes the versions that were current at a moment for a few rows of a table that are most of
            it, and would look through all of one side of a join for each row of the other. #}
        set local enable_nestloop = off;
        {%- if standing is not none %}
        {{ get_drop_sql(standing) }};
        {%- endif %}
        {{ get_create_table_as_sql(False, relation, sql) if type == 'table' else get_create_view_as_sql(relation, sql) }}
    {%- endcall %}
    {% call statement('describe') -%}
        {{ describe(relation) }}
        {#- Without statistics of what was made a moment ago the planner joins large tables row by row. #}
        {{ 'analyze ' ~ relation if type == 'table' }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{%- endmacro %}
