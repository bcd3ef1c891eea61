{{ config(tags=['seed']) }}

-- Editions whose published list in the seed has another number of countries than was published.
with published as (
    select * from {{ ref('safeguards_published') }}
),

criteria as (
    select * from {{ ref('safeguards_criteria') }}
)

select
    criteria.edition,
    criteria.published_countries,
    count(published.country_iso3) as listed_countries
from criteria
left join published on criteria.edition = published.edition
group by criteria.edition, criteria.published_countries
having count(published.country_iso3) != criteria.published_countries
