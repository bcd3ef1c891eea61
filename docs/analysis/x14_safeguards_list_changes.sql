-- Which countries joined the WHO safeguards list in 2023, and do the criteria give the same?
-- Code article 5.1.
-- Countries on the published list of 2023 that were not on that of 2020, with the figures of the edition of
-- 2023; is_computed says whether these, at hand today, meet the criteria. All figures are real, the index is
-- modelled.
select
    country.name,
    later.who_region,
    later.density,
    later.uhc_index,
    later.is_computed
from marts.safeguards_list as later
inner join marts.safeguards_list as earlier
    on later.country_iso3 = earlier.country_iso3 and earlier.edition = 2020
inner join marts.dim_country as country on later.country_iso3 = country.country_iso3
where later.edition = 2023 and later.is_published and not earlier.is_published
order by country.name, later.country_iso3;
