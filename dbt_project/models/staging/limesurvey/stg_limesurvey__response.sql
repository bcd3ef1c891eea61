with response as (
    {{ versions('limesurvey', 'response') }}
)

select
    survey_id,
    survey_response_id,
    is_complete,
    submitted_at,
    started_at,
    edited_at,
    start_language,
    last_page,
    answers,
    restricted_states,
    fetch_id,
    is_synthetic
from response
