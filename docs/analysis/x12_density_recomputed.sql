-- Which published densities of doctors do not follow from the published stock?
-- Code article 6.2.
-- Density as published beside stock divided by the World Bank's population, since 2015, the eight that differ
-- most and by more than a tenth. WHO divides by United Nations estimates of another revision and at times of
-- another territory, so that a difference is a question, not an error. All figures are real; populations are
-- estimates.
select
    density.country_iso3,
    country.name,
    density.year,
    density.density_published,
    density.stock,
    density.population,
    density.density_recomputed,
    round(100 * density.relative_difference, 1) as difference_percent
from marts.workforce_density as density
inner join marts.dim_country as country using (country_iso3)
where
    density.occupation_code = '221'
    and density.year >= 2015
    and abs(density.relative_difference) > 0.1
order by abs(density.relative_difference) desc, density.country_iso3 asc, density.year asc
limit 8;
