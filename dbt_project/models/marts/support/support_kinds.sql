with action as (
    select * from {{ ref('int_nri__action') }}
    where subject in ('support_given', 'support_received')
)

select
    country_iso3,
    round_year,
    replace(subject, 'support_', '') as direction,
    action as kind,
    code_article,
    '2010' as code_version,
    status,
    previous_round_year,
    previous_status,
    {{ movement('previous_status', 'status') }} as movement,
    survey_id,
    survey_response_id,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from action
