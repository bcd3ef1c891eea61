with observation as (
    select * from {{ ref('int_gho_observation') }}
),

criteria as (
    select * from {{ ref('safeguards_criteria') }}
),

-- What an edition could rest on: the latest value of each input by the last year of its data.
-- An index of another definition than the threshold's is no input at all.
eligible as (
    select
        criteria.edition,
        observation.country_iso3,
        observation.year,
        observation.value,
        observation.refreshed_on,
        observation.uhc_index_edition,
        observation.is_modelled,
        observation.is_synthetic,
        observation.fetch_id,
        case
            when observation.measure = 'uhc_index' then 'uhc_index'
            when observation.occupation_code = '221' then 'doctors'
            else 'nurses_midwives'
        end as input
    from criteria
    inner join observation
        on
            (
                observation.measure = 'density'
                and observation.occupation_code in ('221', '222+322')
                and observation.year <= criteria.last_density_year
            )
            or (
                observation.measure = 'uhc_index'
                and observation.year <= criteria.last_uhc_index_year
                and observation.uhc_index_edition = criteria.uhc_index_edition
            )
)

select distinct on (edition, country_iso3, input) *
from eligible
order by edition, country_iso3, input, year desc
