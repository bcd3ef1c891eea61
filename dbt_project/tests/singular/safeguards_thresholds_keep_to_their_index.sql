-- Index values of one definition set against a threshold of another.
with safeguards_list as (
    select * from {{ ref('safeguards_list') }}
),

criteria as (
    select * from {{ ref('safeguards_criteria') }}
)

select
    safeguards_list.edition,
    safeguards_list.country_iso3,
    safeguards_list.uhc_index_edition,
    criteria.uhc_index_edition as threshold_edition
from safeguards_list
inner join criteria on safeguards_list.edition = criteria.edition
where safeguards_list.uhc_index_edition != criteria.uhc_index_edition
