with answer as (
    select * from {{ ref('int_nri__answer') }}
)

select
    country_iso3,
    round_year,
    survey_id,
    survey_response_id,
    heading,
    canonical_item,
    canonical_part,
    code_article,
    '2010' as code_version,
    occupation_code,
    measure,
    value_kind,
    value_state,
    is_withheld,
    value_code,
    cast(value_number as numeric(24, 10)) as value_number,
    is_synthetic,
    false as is_modelled,
    array[fetch_id] as fetch_ids
from answer
