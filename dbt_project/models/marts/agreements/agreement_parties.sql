with agreement_party as (
    select * from {{ ref('int_nri__agreement_party') }}
)

select
    agreement_key,
    country_iso3,
    is_reporter,
    told_round_years,
    silent_round_years,
    who_region,
    income_group,
    safeguards_status,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from agreement_party
