-- For each source country, how do remittances (USD, % GDP, cost of sending) stand beside workers abroad, ODA
-- for workforce and training output?
-- Background to Code articles 3.8, 5.1 and 10.
-- Real figures only, of each country's last year that has remittances, doctors abroad and corridors. Money
-- is of ALL migrants, of any occupation: nobody publishes what health workers send, and nothing here says
-- that doctors sent it. Doctors abroad are counted in the destinations with data in their year, a lower
-- bound. The largest corridor is estimated by a model. What is missing stands as such with its reason, never
-- as zero: nurses by country of training are real in no source, graduates (2-07) and ODA for the workforce
-- (7-02) are in none.
with latest as (
    select distinct on (country_iso3) *
    from marts.remittances_and_workforce
    where
        figures = 'real'
        and received_usd is not null
        and doctors_abroad is not null
        and corridors is not null
    order by country_iso3 asc, year desc
)

select
    latest.country_iso3,
    country.name,
    latest.year,
    round(latest.received_usd / 1e6, 1) as received_million_usd,
    latest.received_gdp_share as received_percent_of_gdp,
    latest.cost_percent as cost_of_sending_percent,
    latest.largest_sender_iso3,
    round(latest.largest_corridor_share, 3) as largest_corridor_share,
    latest.corridors_year,
    cast(latest.doctors_abroad as integer) as doctors_abroad,
    latest.doctors_abroad_year,
    cast(latest.doctors_home as integer) as doctors_home,
    latest.doctors_home_year,
    latest.nurses_abroad,
    latest.nurses_abroad_missing_because,
    latest.oda_for_workforce_usd,
    latest.oda_for_workforce_missing_because,
    latest.doctors_graduates,
    latest.doctors_graduates_missing_because,
    latest.is_modelled,
    latest.is_synthetic
from latest
inner join marts.dim_country as country on latest.country_iso3 = country.country_iso3
order by latest.doctors_abroad desc, latest.country_iso3 asc;
