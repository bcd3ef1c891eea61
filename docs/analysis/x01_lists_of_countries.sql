-- Where do the lists of countries that bear on recruitment differ?
-- Code article 5.1.
-- A row is a country that is on some of the lists that hold on the last day of 2023, and not on all: the WHO
-- safeguards list of 2023, the list of the World Health Report 2006, the red and amber lists of the United
-- Kingdom. They are lists of different owners and criteria, none a copy of another: a country is red in the
-- United Kingdom unless an agreement makes it amber, and amber need not be on WHO's list. was_listed_2020 is
-- the WHO list before. The members of the list of 2006 are from memory (whr_2006_status), never to be checked
-- against. Nothing is synthetic.
with held as (
    select
        country_iso3,
        country_list,
        status
    from marts.dim_country_list
    where date '2023-12-31' >= valid_from and date '2023-12-31' < valid_to
),

earlier as (
    select country_iso3
    from marts.dim_country_list
    where country_list = 'who_safeguards_2020'
)

select
    held.country_iso3,
    country.name,
    bool_or(held.country_list = 'who_safeguards_2023') as who_safeguards_2023,
    held.country_iso3 in (select earlier.country_iso3 from earlier) as was_listed_2020,
    bool_or(held.country_list = 'uk_red_2023') as uk_red,
    bool_or(held.country_list = 'uk_amber_2023') as uk_amber,
    bool_or(held.country_list = 'who_whr_2006') as who_whr_2006,
    max(held.status) filter (where held.country_list = 'who_whr_2006') as whr_2006_status
from held
inner join marts.dim_country as country on held.country_iso3 = country.country_iso3
group by held.country_iso3, country.name
having
    not (
        bool_or(held.country_list = 'who_safeguards_2023')
        and bool_or(held.country_list = 'uk_red_2023')
        and bool_or(held.country_list = 'who_whr_2006')
    )
order by held.country_iso3;
