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
                and criteria.last_density_year >= observation.year
            )
            or (
                observation.measure = 'uhc_index'
                and criteria.last_uhc_index_year >= observation.year
                and criteria.uhc_index_edition = observation.uhc_index_edition
            )
)

select distinct on (edition, country_iso3, input) *
from eligible
order by edition asc, country_iso3 asc, input asc, year desc
