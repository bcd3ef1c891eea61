with agreement as (
    select * from {{ ref('int_nri__agreement') }}
)

select
    agreement_key,
    parties,
    agreement_type,
    cast(valid_from_year as integer) as valid_from_year,
    cast(valid_to_year as integer) as valid_to_year,
    occupation_codes,
    {%- for element in agreement_elements() %}
        has_{{ element }},
    {%- endfor %}
    is_matchable,
    is_confirmed_by_other_party,
    reported_by,
    round_years,
    cast(reports as integer) as reports,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from agreement
