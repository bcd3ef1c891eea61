-- Where do countries keep a record of authorised recruiters while agencies are the most used pathway?
-- Code articles 8.5 (record of recruiters) and 4.1 (recruitment practices).
-- Countries that name private agencies as the most used way in, in their report of a round that asks (since
-- 2021), with whether they keep a record and whether they promote good practice among agencies (8.6): where
-- the record is missing, most recruitment goes through agencies that nobody records. Self-assessment.
-- Synthetic reports in the shipped figures.
select
    pathway.round_year,
    record.status as keeps_record_of_recruiters,
    pathway.country_iso3,
    country.name,
    practice.status as good_practice_of_agencies,
    pathway.is_used_out as agencies_also_way_out,
    reporting.safeguards_status,
    pathway.is_synthetic
from marts.recruitment_pathways as pathway
inner join marts.reporting
    on pathway.country_iso3 = reporting.country_iso3 and pathway.round_year = reporting.round_year
inner join marts.dim_country as country on pathway.country_iso3 = country.country_iso3
left join marts.implementation_steps as record
    on
        pathway.country_iso3 = record.country_iso3
        and pathway.round_year = record.round_year
        and record.step = 'recruiter_records'
left join marts.implementation_steps as practice
    on
        pathway.country_iso3 = practice.country_iso3
        and pathway.round_year = practice.round_year
        and practice.step = 'agency_good_practice'
where pathway.pathway = 'agency' and pathway.is_most_used_in
order by pathway.round_year desc, record.status desc, pathway.country_iso3 asc;
