-- Which countries' remittances of the last year are less than half of those of the year before?
-- Quality of the data, for articles 3.8 and 5.1.
-- Personal remittances received, World Bank, current US dollars, all migrants. A fall by half in one year is
-- rare: where it stands, look whether the publisher's year is finished before you use it. It is published as
-- it came, suspicious and not wrong.
select
    country.name,
    round(cast(before.value / 1e6 as numeric), 1) as million_usd_2021,
    round(cast(now.value / 1e6 as numeric), 1) as million_usd_2022,
    round(cast(100 * now.value / before.value as numeric), 0) as percent_of_2021,
    now.is_synthetic
from marts.remittances as now
inner join marts.remittances as before
    on now.country_iso3 = before.country_iso3 and now.measure = before.measure and before.year = 2021
inner join marts.dim_country as country on now.country_iso3 = country.country_iso3
where now.measure = 'received_usd' and now.year = 2022 and now.value < 0.5 * before.value
order by before.value desc;
