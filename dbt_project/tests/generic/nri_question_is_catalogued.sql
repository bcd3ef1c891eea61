{% test nri_question_is_catalogued(model) %}

with question as (
    select * from {{ model }}
),

nri_question as (
    select distinct
        survey_id,
        question_code
    from {{ ref('nri_question') }}
)

select distinct
    question.survey_id,
    question.question_code
from question
left join nri_question
    on
        question.survey_id = nri_question.survey_id
        and question.question_code = nri_question.question_code
where nri_question.question_code is null

{% endtest %}
