with answer as (
    select * from {{ ref('stg_national_reports__answer') }}
)

select
    round_year,
    survey_id,
    country_iso3,
    survey_response_id,
    cast(
        cast(max(value) filter (where heading = 'contact.report_date' and value_state = 'answered') as date)
        as timestamp
    ) as submitted_at,
    max(fetch_id) as fetch_id,
    bool_or(is_synthetic) as is_synthetic
from answer
group by round_year, survey_id, country_iso3, survey_response_id
