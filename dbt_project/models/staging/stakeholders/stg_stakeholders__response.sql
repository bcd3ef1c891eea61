with response as (
    {{ versions('stakeholders', 'response') }}
)

select
    survey_id,
    survey_response_id,
    is_complete,
    submitted_at,
    edited_at,
    start_language,
    answers,
    fetch_id,
    is_synthetic
from response
