with observation as (
    select * from {{ ref('stg_who_gho__observation') }}
),

gho_indicator as (
    select * from {{ ref('gho_indicator') }}
),

country as (
    select * from {{ ref('country') }}
),

uhc_index_edition as (
    select * from {{ ref('uhc_index_edition') }}
)

-- Inner joins on the reviewed mappings: a code that they lack is held back here and named by the tests
-- on unmapped codes, so that no aggregate and no unknown indicator reaches a mart.
select
    country.country_iso3,
    gho_indicator.indicator_code,
    gho_indicator.measure,
    gho_indicator.occupation_code,
    observation.year,
    observation.value,
    observation.lower_bound,
    observation.upper_bound,
    observation.publisher_comment,
    observation.refreshed_on,
    gho_indicator.is_modelled,
    observation.is_synthetic,
    observation.fetch_id,
    case
        when gho_indicator.measure = 'uhc_index' then uhc_index_edition.uhc_index_edition
    end as uhc_index_edition
from observation
inner join gho_indicator on observation.indicator_code = gho_indicator.indicator_code
inner join country on observation.place_code = country.country_iso3
left join uhc_index_edition
    on
        observation.refreshed_on >= uhc_index_edition.refreshed_from
        and observation.refreshed_on < uhc_index_edition.refreshed_to
where
    observation.place_type = 'COUNTRY'
    and observation.period_type = 'YEAR'
    and not observation.is_broken_down
    and observation.value is not null
