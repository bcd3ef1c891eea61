with answer as (
    select * from {{ ref('int_nri__answer') }}
)

select
    country_iso3,
    round_year,
    survey_id,
    survey_response_id,
    coalesce(occupation_code, 'other') as occupation_code,
    max(value_number) filter (where canonical_part = 'year' and value_number between 0 and 9999)
        as stock_year,
    max(value_code) filter (where canonical_part = 'source') as data_source,
    max(value_number) filter (where measure = 'total') as total,
    max(value_number) filter (where measure = 'domestically_trained') as domestically_trained,
    max(value_number) filter (where measure = 'foreign_trained') as foreign_trained,
    max(value_number) filter (where measure = 'unknown_training') as unknown_training,
    max(value_number) filter (where measure = 'national_born') as national_born,
    max(value_number) filter (where measure = 'foreign_born') as foreign_born,
    max(value_number) filter (where measure = 'unknown_birth') as unknown_birth,
    {{ fetch_ids() }} as fetch_ids,
    bool_or(is_synthetic) as is_synthetic
from answer
where
    canonical_item = 'stock_origin'
    and canonical_part in ('stock', 'year', 'source')
group by country_iso3, round_year, survey_id, survey_response_id, coalesce(occupation_code, 'other')
having count(value_number) > 0
