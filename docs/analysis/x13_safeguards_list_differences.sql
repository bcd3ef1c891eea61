-- Where is the WHO safeguards list, as computed from the data at hand, not the list as published, and why?
-- Code article 5.1.
-- Criteria as published with each edition: density of doctors, nurses and midwives below the median, and UHC
-- service coverage index below 50 (2020) or 55 (2023), of the definition before 2025. The data were refreshed
-- after the lists were made: what differs is near a threshold or was revised. The published list stands. All
-- figures are real, the index is modelled.
select
    list.edition,
    country.name,
    list.difference,
    list.density,
    list.uhc_index,
    list.explanation
from marts.safeguards_list as list
inner join marts.dim_country as country using (country_iso3)
where list.difference <> 'agrees'
order by list.edition, list.difference, country.name, list.country_iso3;
