-- Densities of doctors since 2015 that differ most from stock divided by population.
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
