with answer as (
    select * from {{ ref('int_nri__answer') }}
)

select
    country_iso3,
    round_year,
    canonical_item
from answer
where
    value_kind = 'yes_no'
    and canonical_part in ('any', 'host')
    and value_code = 'no'
