with instrument_country as (
    select * from {{ ref('int_instrument_country') }}
),

boundary as (
    select distinct
        instrument_country.country_iso3,
        instrument_country.instrument,
        given.valid_on
    from instrument_country
    cross join
        lateral unnest(
            array[
                make_date(instrument_country.adopted_year, 1, 1),
                date '9999-12-31',
                instrument_country.ratified_earliest,
                instrument_country.ratified_latest,
                instrument_country.in_force_earliest,
                instrument_country.in_force_latest,
                instrument_country.denunciation_effective_on,
                case when not instrument_country.is_listed then instrument_country.known_to end
            ]
        ) as given (valid_on)
    where given.valid_on is not null
),

period as (
    select
        country_iso3,
        instrument,
        valid_on as valid_from,
        lead(valid_on) over (partition by country_iso3, instrument order by valid_on) as valid_to
    from boundary
)

-- Who is in no list has not ratified only where the list is complete, and only up to the day of the list.
select
    period.country_iso3,
    period.instrument,
    period.valid_from,
    period.valid_to,
    case
        when not instrument_country.is_listed
            then
                case
                    when instrument_country.completeness = 'complete'
                        and period.valid_to <= instrument_country.known_to then 'no'
                    else 'unknown'
                end
        when period.valid_from < instrument_country.ratified_earliest then 'no'
        when period.valid_from >= instrument_country.denunciation_effective_on then 'no'
        when period.valid_from >= instrument_country.ratified_latest then 'yes'
        else 'unknown'
    end as ratified,
    case
        when not instrument_country.is_listed
            then
                case
                    when instrument_country.completeness = 'complete'
                        and period.valid_to <= instrument_country.known_to then 'no'
                    else 'unknown'
                end
        when period.valid_from < instrument_country.in_force_earliest then 'no'
        when period.valid_from >= instrument_country.denunciation_effective_on then 'no'
        when period.valid_from >= instrument_country.in_force_latest then 'yes'
        else 'unknown'
    end as in_force
from period
inner join instrument_country
    on
        period.country_iso3 = instrument_country.country_iso3
        and period.instrument = instrument_country.instrument
where period.valid_to is not null
