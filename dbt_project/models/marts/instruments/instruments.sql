with instrument_period as (
    select * from {{ ref('int_instrument_period') }}
),

instrument_country as (
    select * from {{ ref('int_instrument_country') }}
)

select
    instrument_period.country_iso3,
    instrument_period.instrument,
    instrument_period.valid_from,
    instrument_period.valid_to,
    instrument_period.ratified,
    instrument_period.in_force,
    instrument_country.is_listed,
    instrument_country.completeness,
    instrument_country.known_to,
    case when instrument_country.ratified_precision = 'day' then instrument_country.ratified_earliest end
        as ratified_on,
    instrument_country.ratified_precision,
    instrument_country.in_force_basis,
    instrument_country.denounced_on,
    instrument_country.excluded_annexes,
    instrument_country.page_country,
    case
        when instrument_country.page_difference is null then 'not checked'
        when instrument_country.page_difference = '' then 'agrees'
        else instrument_country.page_difference
    end as page_check,
    instrument_country.status,
    instrument_country.evidence,
    instrument_country.is_synthetic,
    cast(false as boolean) as is_modelled,
    instrument_country.fetch_ids
from instrument_period
inner join instrument_country
    on
        instrument_period.country_iso3 = instrument_country.country_iso3
        and instrument_period.instrument = instrument_country.instrument
