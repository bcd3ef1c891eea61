with survey as (
    {{ versions('limesurvey', 'survey') }}
)

select
    survey_id,
    title,
    active as is_active,
    start_date as starts_at,
    expires as expires_at,
    fetch_id,
    is_synthetic
from survey
