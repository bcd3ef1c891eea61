-- What do countries that both host and send health personnel ask for their own abroad, and what do they
-- guarantee to those they host?
-- Code articles 4.3 to 4.5.
-- Of each country's latest report, if it hosts migrant health personnel and takes measures for its own
-- personnel abroad, which is asked since 2021. asked_abroad are the measures that it takes among fair
-- recruitment, decent contracts and safe mobility, given the guarantees that it gives, missing those it was
-- asked about and does not give. A box shown and left alone is a no. In the shipped figures all answers are
-- synthetic.
with latest as (
    select
        country_iso3,
        max(round_year) as round_year
    from marts.reporting
    where report_status = 'submitted'
    group by country_iso3
),

measure as (
    select
        country_iso3,
        round_year,
        array_agg(measure_taken order by measure_taken) as asked_abroad,
        bool_or(is_synthetic) as is_synthetic
    from marts.emigrant_measures
    where status = 'yes' and measure_taken in ('fair_recruitment', 'decent_contracts', 'safe_mobility')
    group by country_iso3, round_year
),

guarantee as (
    select
        country_iso3,
        round_year,
        coalesce(array_agg(guarantee order by guarantee) filter (where status = 'yes'), '{}') as given,
        coalesce(array_agg(guarantee order by guarantee) filter (where status = 'no'), '{}') as missing
    from marts.fair_treatment
    group by country_iso3, round_year
)

select
    measure.country_iso3,
    country.name,
    measure.round_year,
    measure.asked_abroad,
    guarantee.given,
    guarantee.missing,
    measure.is_synthetic
from latest
inner join measure on latest.country_iso3 = measure.country_iso3 and latest.round_year = measure.round_year
inner join guarantee
    on latest.country_iso3 = guarantee.country_iso3 and latest.round_year = guarantee.round_year
inner join marts.dim_country as country on latest.country_iso3 = country.country_iso3
order by cardinality(guarantee.missing) desc, measure.country_iso3 asc;
