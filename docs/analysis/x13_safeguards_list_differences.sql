-- Where the list as computed from the data at hand is not the list as published, and why.
select
    list.edition,
    country.name,
    list.difference,
    list.density,
    list.uhc_index,
    list.explanation
from marts.safeguards_list as list
inner join marts.dim_country as country using (country_iso3)
where list.difference <> 'agrees'
order by list.edition, list.difference, country.name;
