with answer as (
    {{ versions('national_reports', 'answer') }}
),

country as (
    select * from {{ ref('country') }}
),

nri_report_question as (
    select * from {{ ref('nri_report_question') }}
)

select
    answer.round_year,
    answer.round_year as survey_id,
    answer.country_iso3,
    cast(country.m49 as bigint) as survey_response_id,
    answer.heading,
    -- Whose report it is says the file's name: the name that is written in it may be of any spelling.
    case when answer.heading = 'contact.member_state' then country.name else answer.value end as value,
    case
        when answer.heading = 'contact.member_state' then 'answered'
        when answer.value is null then 'not_shown'
        when answer.value = '' then 'empty'
        else 'answered'
    end as value_state,
    answer.fetch_id,
    answer.is_synthetic
from answer
inner join country on answer.country_iso3 = country.country_iso3
inner join nri_report_question
    on
        answer.round_year = nri_report_question.survey_id
        and answer.heading = nri_report_question.heading
        and not nri_report_question.restricted
