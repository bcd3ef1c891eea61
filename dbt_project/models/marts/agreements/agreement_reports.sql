with report as (
    select * from {{ ref('int_nri__agreement_report') }}
)

select
    country_iso3,
    round_year,
    cast(block_no as integer) as block_no,
    agreement_key,
    partners,
    agreement_type,
    cast(valid_from_year as integer) as valid_from_year,
    cast(valid_to_year as integer) as valid_to_year,
    occupation_codes,
    contents,
    ministries,
    has_care_workers,
    {%- for element in agreement_elements() %}
        has_{{ element }},
    {%- endfor %}
    is_matchable,
    survey_id,
    survey_response_id,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from report
