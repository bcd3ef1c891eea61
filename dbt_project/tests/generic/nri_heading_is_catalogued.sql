{% test nri_heading_is_catalogued(model) %}

with answer as (
    select * from {{ model }}
),

nri_question as (
    select * from {{ ref('nri_question') }}
)

select
    answer.survey_id,
    answer.heading,
    count(*) as answers
from answer
left join nri_question
    on
        answer.survey_id = nri_question.survey_id
        and answer.heading = nri_question.heading
where
    nri_question.heading is null
    and answer.value_state = 'answered'
group by answer.survey_id, answer.heading

{% endtest %}
