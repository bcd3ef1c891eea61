with response as (
    select * from {{ ref('stg_stakeholders__response') }}
),

answer as (
    select * from {{ ref('stg_stakeholders__answer') }}
),

question as (
    select * from {{ ref('stakeholder_question') }}
),

stakeholder_option as (
    select * from {{ ref('stakeholder_option') }}
)

-- Contributions that were submitted, and of these what was answered: an answer that is missing says nothing.
select
    response.survey_id,
    response.survey_response_id,
    question.round_year,
    cast(substring(question.canonical_item from '^field_([1-9])$') as integer) as field,
    cast(substring(question.measure from '^mention_([0-9]+)$') as integer) as mention,
    question.canonical_part as part,
    answer.value as value_text,
    case
        when question.value_kind = 'yes_no' then {{ yes_or_no('answer.value', 'question.value_kind') }}
        when question.value_kind = 'choice' then stakeholder_option.meaning
    end as value_code,
    case when question.value_kind = 'number' then {{ plain_number('answer.value') }} end as value_number,
    response.submitted_at,
    response.edited_at,
    response.fetch_id,
    response.is_synthetic
from response
inner join answer
    on
        response.survey_id = answer.survey_id
        and response.survey_response_id = answer.survey_response_id
inner join question
    on
        answer.survey_id = question.survey_id
        and answer.heading = question.heading
left join stakeholder_option
    on
        answer.survey_id = stakeholder_option.survey_id
        and question.question_code = stakeholder_option.question_code
        and answer.value = stakeholder_option.option_code
where
    response.is_complete
    and answer.value_state = 'answered'
