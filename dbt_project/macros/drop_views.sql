{# Drops the views that are about to be built, all at once. Tables that are replaced at the same time would otherwise
   each drop the views on them, and wait for one another. #}
{% macro drop_views() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set views = [] -%}
        {%- for model in graph.nodes.values()
            if model.unique_id in selected_resources and model.config.materialized == 'view' -%}
            {%- set standing = load_cached_relation(api.Relation.create(model.database, model.schema, model.alias)) -%}
            {%- if standing is not none and standing.is_view -%}
                {%- do views.append(standing) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if views -%}
            drop view if exists {{ views | join(', ') }} cascade
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
