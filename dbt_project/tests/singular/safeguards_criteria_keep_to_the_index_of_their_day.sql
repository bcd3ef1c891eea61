{{ config(tags=['seed']) }}

-- Thresholds that are declared for a definition of the UHC index which was not in use when the list stood: 50
-- and 55 never meet the definition of 2025.
with criteria as (
    select * from {{ ref('safeguards_criteria') }}
),

uhc_index_edition as (
    select * from {{ ref('uhc_index_edition') }}
)

select
    criteria.edition,
    criteria.uhc_index_threshold,
    criteria.listed_by,
    criteria.uhc_index_edition as declared_definition,
    uhc_index_edition.uhc_index_edition as definition_of_the_day
from criteria
left join uhc_index_edition
    on
        criteria.listed_by >= uhc_index_edition.refreshed_from
        and criteria.listed_by < uhc_index_edition.refreshed_to
where criteria.uhc_index_edition is distinct from uhc_index_edition.uhc_index_edition
