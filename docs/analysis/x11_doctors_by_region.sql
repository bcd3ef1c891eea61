-- How many doctors has the typical country of each WHO region?
-- Code article 6.2.
-- The latest published density of each country since 2015, per 10 000 population, whatever its year; the
-- median over countries, each counted once, not over people. The region is that of 31 December of the
-- figure's year. Countries without a figure since 2015 are missing, and regions differ in how many these are.
-- All figures are real (WHO, Global Health Observatory).
with latest as (
    select distinct on (country_iso3)
        country_iso3,
        year,
        density_published
    from marts.workforce_density
    where occupation_code = '221' and year >= 2015 and density_published is not null
    order by country_iso3 asc, year desc
)

select
    region.who_region,
    count(*) as countries,
    round(cast(percentile_cont(0.5) within group (order by latest.density_published) as numeric), 1)
        as median_density,
    min(latest.density_published) as lowest_density,
    max(latest.density_published) as highest_density
from latest
inner join marts.dim_country_by_date as region
    on latest.country_iso3 = region.country_iso3
        and make_date(latest.year, 12, 31) >= region.valid_from
        and make_date(latest.year, 12, 31) < region.valid_to
where region.who_region is not null
group by region.who_region
order by median_density, region.who_region;
