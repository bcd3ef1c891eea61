-- Which countries report measures to sustain their own workforce, yet raise their foreign-trained share by
-- more than 2 points?
-- Code articles 5.4 to 5.7.
-- The share is of known place of training: foreign / (domestic + foreign), else foreign / (total - unknown).
-- It is taken from one source for both years: the last year up to the round of the report before, and the
-- last up to the round; of several sources that have both, real figures come first, then the reviewed order
-- of sources. A rise does not show that the measures failed: they take years, and a share rises where
-- domestic graduates leave. Countries without a report before, or without two years of one source, have no
-- row. Occupations are ISCO-08 codes, named in marts.dim_occupation; 2211 and 2212 are parts of 221. In the
-- shipped figures the measures are synthetic.
with measure as (
    select
        country_iso3,
        round_year,
        array_agg(measure_taken order by measure_taken) as measures,
        bool_or(is_synthetic) as is_synthetic
    from marts.domestic_measures
    where status = 'yes'
    group by country_iso3, round_year
),

report as (
    select
        country_iso3,
        round_year,
        lag(round_year) over (partition by country_iso3 order by round_year) as previous_round_year
    from marts.reporting
    where report_status = 'submitted'
),

series as (
    select
        destination_iso3,
        occupation_code,
        source,
        source_rank,
        year,
        precedence,
        known_origin_share,
        is_synthetic
    from marts.foreign_trained_share
    where basis = 'training' and known_origin_share is not null
),

compared as (
    select distinct on (measure.country_iso3, measure.round_year, later.occupation_code)
        measure.country_iso3,
        measure.round_year,
        later.occupation_code,
        measure.measures,
        later.source,
        earlier.year as year_before,
        earlier.known_origin_share as share_before,
        later.year as year_after,
        later.known_origin_share as share_after,
        measure.is_synthetic or earlier.is_synthetic or later.is_synthetic as is_synthetic
    from measure
    inner join report
        on measure.country_iso3 = report.country_iso3 and measure.round_year = report.round_year
    inner join series as later
        on
            measure.country_iso3 = later.destination_iso3
            and report.previous_round_year < later.year
            and report.round_year >= later.year
    inner join series as earlier
        on
            later.destination_iso3 = earlier.destination_iso3
            and later.occupation_code = earlier.occupation_code
            and later.source = earlier.source
            and report.previous_round_year >= earlier.year
    order by
        measure.country_iso3 asc,
        measure.round_year asc,
        later.occupation_code asc,
        earlier.is_synthetic or later.is_synthetic asc,
        later.source_rank asc,
        later.year desc,
        earlier.year desc,
        later.precedence asc,
        earlier.precedence asc
)

select
    compared.country_iso3,
    country.name,
    compared.round_year,
    compared.measures,
    compared.occupation_code,
    compared.source,
    compared.year_before,
    round(compared.share_before, 4) as share_before,
    compared.year_after,
    round(compared.share_after, 4) as share_after,
    round(100 * (compared.share_after - compared.share_before), 2) as change_points,
    compared.is_synthetic
from compared
inner join marts.dim_country as country on compared.country_iso3 = country.country_iso3
where compared.share_after - compared.share_before > 0.02
order by
    compared.round_year desc,
    change_points desc,
    compared.country_iso3 asc,
    compared.occupation_code asc;
