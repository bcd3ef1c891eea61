-- Countries that received most in 2022, and what that is of their product.
select
    country.name,
    country.income_group,
    round(cast(received.value / 1e9 as numeric), 1) as billion_usd,
    round(cast(share.value as numeric), 1) as percent_of_gdp
from marts.remittances as received
inner join marts.dim_country as country using (country_iso3)
left join marts.remittances as share
    on received.country_iso3 = share.country_iso3
        and received.year = share.year
        and share.measure = 'received_gdp_share_recomputed'
where received.measure = 'received_usd' and received.year = 2022
order by received.value desc
limit 10;
