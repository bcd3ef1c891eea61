with question as (
    {{ versions('limesurvey', 'question') }}
)

select
    survey_id,
    question_code,
    subquestion_code,
    scale_id,
    language,
    question_type,
    question_text,
    fetch_id,
    is_synthetic
from question
