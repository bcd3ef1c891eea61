with response as (
    select * from {{ ref('stg_stakeholders__response') }}
)

select
    response.survey_id,
    response.survey_response_id,
    entry.heading,
    entry.value,
    case
        when entry.value is null then 'not_shown'
        when entry.value = '' then 'empty'
        else 'answered'
    end as value_state
from response
cross join lateral jsonb_each_text(response.answers) as entry (heading, value)
