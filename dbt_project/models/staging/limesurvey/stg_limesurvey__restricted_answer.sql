with response as (
    select * from {{ ref('stg_limesurvey__response') }}
)

select
    response.survey_id,
    response.survey_response_id,
    entry.heading,
    entry.value_state
from response
cross join lateral jsonb_each_text(response.restricted_states) as entry (heading, value_state)
