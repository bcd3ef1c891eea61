-- Which countries maintain a database of laws, and is a link given?
-- Code article 7.2(a).
-- Countries that say in their latest report that they keep a database or compilation of laws and regulations
-- on international recruitment and migration. The link itself is free text and is withheld: has_link tells
-- that one is given, not that it works. The round of 2012 did not ask for a link (null). said_before:
-- whether the country's report before that one said so as well, null where there is none or it did not
-- answer. Denominator: countries whose latest report answers the question (countries_answering). Synthetic
-- reports in the shipped figures.
with answered as (
    select
        *,
        lag(has_law_database) over (partition by country_iso3 order by round_year) as said_before,
        row_number() over (partition by country_iso3 order by round_year desc) as recency
    from marts.information_exchange
    where report_status = 'submitted'
),

latest as (
    select
        *,
        count(has_law_database) over () as countries_answering,
        count(*) filter (where has_law_database) over () as countries_with_database
    from answered
    where recency = 1
)

select
    latest.country_iso3,
    country.name,
    latest.round_year,
    latest.has_law_database_link as has_link,
    latest.said_before,
    latest.laws_named,
    latest.laws_linked,
    latest.countries_with_database,
    latest.countries_answering,
    latest.is_synthetic
from latest
inner join marts.dim_country as country using (country_iso3)
where latest.has_law_database
order by latest.has_law_database_link desc nulls last, latest.country_iso3 asc;
