with answer as (
    select * from {{ ref('int_nri__answer') }}
)

select
    country_iso3,
    round_year,
    survey_id,
    survey_response_id,
    occupation_code,
    round_year + cast(measure as integer) as year,
    max(value_number) filter (where canonical_item = 'inflow_3y') as inflow,
    max(value_number) filter (where canonical_item = 'outflow_3y') as outflow,
    {{ fetch_ids() }} as fetch_ids,
    bool_or(is_synthetic) as is_synthetic
from answer
where canonical_item in ('inflow_3y', 'outflow_3y')
group by country_iso3, round_year, survey_id, survey_response_id, occupation_code, measure
having count(value_number) > 0
