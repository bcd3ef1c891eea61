{# How what a country says moved between two rounds. Statuses without a place on the way from no over
   in_process to yes (no answer, no report, not asked, not a host) cannot be compared. #}
{% macro movement(earlier, later) -%}
    case
        when {{ earlier }} is null then null
        when
            {{ earlier }} not in ('no', 'in_process', 'yes')
            or {{ later }} not in ('no', 'in_process', 'yes')
            then 'not_comparable'
        when {{ earlier }} = {{ later }} then 'unchanged'
        when {{ later }} = 'yes' or {{ earlier }} = 'no' then 'advanced'
        else 'fell_back'
    end
{%- endmacro %}

{# Select list and source of a mart of reported actions: one row a country, round and action of the
   subject, with what the country said in its report before. The caller may add conditions. #}
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
