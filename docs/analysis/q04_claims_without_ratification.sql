-- Which countries claim fair recruitment but are not known to have ratified any of the ILO conventions C97,
-- C143, C149 and C181?
-- Code article 4.
-- A claim is, in the country's latest report, a guarantee of an informed decision (4.3) or of objective
-- hiring and pay (4.4) to those it hosts, or measures for the fair recruitment of its own personnel abroad
-- (4.4). not_ratified are conventions that the country is known not to have ratified, unknown those for which
-- nobody here knows: of C97, C143 and C181 a part of the ratifications is listed. C149's list is complete up
-- to c149_known_to and is read on the last day before it. Never read unknown as a no. In the shipped figures
-- the claims are synthetic, the ratifications real.
with latest as (
    select
        country_iso3,
        max(round_year) as round_year
    from marts.reporting
    where report_status = 'submitted'
    group by country_iso3
),

claim as (
    select
        country_iso3,
        round_year,
        guarantee as practice,
        is_synthetic
    from marts.fair_treatment
    where status = 'yes' and guarantee in ('informed_decision', 'objective_pay')
    union all
    select
        country_iso3,
        round_year,
        measure_taken as practice,
        is_synthetic
    from marts.emigrant_measures
    where status = 'yes' and measure_taken = 'fair_recruitment'
),

claimed as (
    select
        claim.country_iso3,
        claim.round_year,
        array_agg(claim.practice order by claim.practice) as claims,
        bool_or(claim.is_synthetic) as is_synthetic
    from claim
    inner join latest on claim.country_iso3 = latest.country_iso3 and claim.round_year = latest.round_year
    group by claim.country_iso3, claim.round_year
),

ratified as (
    select
        claimed.country_iso3,
        instruments.instrument,
        instruments.ratified,
        instruments.known_to
    from claimed
    inner join marts.dim_round as held on claimed.round_year = held.round_year
    inner join marts.instruments on claimed.country_iso3 = instruments.country_iso3
    where
        instruments.instrument in ('C097', 'C143', 'C149', 'C181')
        and least(held.closed_on, instruments.known_to - 1) >= instruments.valid_from
        and least(held.closed_on, instruments.known_to - 1) < instruments.valid_to
)

select
    claimed.country_iso3,
    country.name,
    claimed.round_year,
    claimed.claims,
    coalesce(
        array_agg(ratified.instrument order by ratified.instrument) filter (where ratified.ratified = 'no'),
        '{}'
    ) as not_ratified,
    coalesce(
        array_agg(ratified.instrument order by ratified.instrument)
        filter (where ratified.ratified = 'unknown'),
        '{}'
    ) as unknown,
    max(ratified.known_to) as c149_known_to,
    claimed.is_synthetic
from claimed
inner join marts.dim_country as country on claimed.country_iso3 = country.country_iso3
inner join ratified on claimed.country_iso3 = ratified.country_iso3
group by claimed.country_iso3, country.name, claimed.round_year, claimed.claims, claimed.is_synthetic
having bool_and(ratified.ratified <> 'yes')
order by claimed.round_year desc, claimed.country_iso3 asc;
