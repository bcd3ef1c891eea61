-- Which countries rest most on doctors trained abroad, as they report themselves?
-- Code article 6.2.
-- Stock of the round of 2024 by place of training, unchanged, with the year and the kind of source that the
-- country names. Denominator: all active doctors, those of unknown place of training among them. Synthetic
-- reports in the shipped figures.
select
    country.name,
    origin.stock_year,
    origin.data_source,
    cast(origin.total as integer) as doctors,
    cast(origin.foreign_trained as integer) as foreign_trained,
    round(origin.foreign_trained / nullif(origin.total, 0), 3) as foreign_trained_share,
    origin.is_synthetic
from marts.stock_by_origin as origin
inner join marts.dim_country as country using (country_iso3)
where origin.round_year = 2024 and origin.occupation_code = '221' and origin.foreign_trained is not null
order by foreign_trained_share desc nulls last, country.name asc
limit 8;
