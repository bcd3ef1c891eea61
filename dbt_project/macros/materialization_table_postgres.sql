{# As dbt has it, in one transaction, but without a second table that takes the place of the first: nobody reads what
   is being built, and renaming, dropping and looking up columns took half of a build's time. #}
{% materialization table, adapter='postgres' %}
    {%- set relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {#- The planner takes the versions that were current at a moment for a few rows of a table that are most of
            it, and would look through all of one side of a join for each row of the other. #}
        set local enable_nestloop = off;
        {{ drop_standing() }}
        {{ get_create_table_as_sql(False, relation, sql) }}
    {%- endcall %}
    {% call statement('describe') -%}
        {{ describe(relation) }}
        {#- Without statistics of what was made a moment ago the planner joins large tables row by row. #}
        analyze {{ relation }};
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
