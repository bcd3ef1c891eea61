with support_pair as (
    select * from {{ ref('int_nri__support_pair') }}
)

select
    round_year,
    donor_iso3,
    recipient_iso3,
    is_reported_by_donor,
    is_reported_by_recipient,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from support_pair
