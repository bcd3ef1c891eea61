{% macro reported_actions(name) -%}
select
    action.country_iso3,
    action.round_year,
    action.action as {{ name }},
    action.code_article,
    '2010' as code_version,
    action.status,
    action.previous_round_year,
    action.previous_status,
    {{ movement('action.previous_status', 'action.status') }} as movement,
    action.survey_id,
    action.survey_response_id,
    action.is_synthetic,
    false as is_modelled,
    action.fetch_ids
from action
{%- endmacro %}
