with origin_stock as (
    select * from {{ ref('int_nri__origin_stock') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

safeguards_published as (
    select * from {{ ref('safeguards_published') }}
)

select
    origin_stock.country_iso3,
    origin_stock.round_year,
    origin_stock.occupation_code,
    sum(origin_stock.foreign_trained) as foreign_trained,
    coalesce(
        sum(origin_stock.foreign_trained) filter (where safeguards_published.country_iso3 is not null), 0
    ) as from_listed
from origin_stock
inner join country_round
    on
        origin_stock.country_iso3 = country_round.country_iso3
        and origin_stock.round_year = country_round.round_year
left join safeguards_published
    on
        origin_stock.origin_iso3 = safeguards_published.country_iso3
        and country_round.safeguards_edition = safeguards_published.edition
where
    country_round.safeguards_edition is not null
    and origin_stock.origin_iso3 is not null
group by origin_stock.country_iso3, origin_stock.round_year, origin_stock.occupation_code
