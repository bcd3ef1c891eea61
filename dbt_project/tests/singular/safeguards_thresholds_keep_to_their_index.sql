-- Index values of one definition set against a threshold of another.
with safeguards_list as (
    select * from {{ ref('safeguards_list') }}
)

select
    edition,
    country_iso3,
    uhc_index,
    uhc_index_edition,
    uhc_index_threshold,
    threshold_uhc_index_edition
from safeguards_list
where
    uhc_index is not null
    and uhc_index_edition is distinct from threshold_uhc_index_edition
