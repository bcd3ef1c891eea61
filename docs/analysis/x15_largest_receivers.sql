-- Who receives most remittances, and how much is it of the product?
-- Beside article 5.1.
-- Personal remittances received in 2022 in current US dollars and their share of GDP, recomputed from the two
-- published amounts; the ten that receive most. Of all migrants, not of health personnel, and as recorded:
-- what is carried in cash is missing. The last year is unfinished for some countries (x16). All figures are
-- real (World Bank).
select
    country.name,
    country.income_group,
    round(cast(received.value / 1e9 as numeric), 1) as billion_usd,
    round(cast(share.value as numeric), 1) as percent_of_gdp
from marts.remittances as received
inner join marts.dim_country as country using (country_iso3)
left join marts.remittances as share
    on received.country_iso3 = share.country_iso3
        and received.year = share.year
        and share.measure = 'received_gdp_share_recomputed'
where received.measure = 'received_usd' and received.year = 2022
order by received.value desc, received.country_iso3 asc
limit 10;
