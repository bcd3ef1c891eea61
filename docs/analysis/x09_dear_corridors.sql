-- Which corridors to countries on the safeguards list cost more than 5 percent?
-- Background to Code articles 3.8 and 5; goal 10.c of the Sustainable Development Goals: no corridor above 5
-- percent by 2030. Cost of sending 200 US dollars in the last quarter with published averages, percent of
-- the amount: fees and exchange rate margin, averaged by the World Bank over the services asked. Only
-- corridors that Remittance Prices Worldwide watches: a listed country without a row is not watched, not
-- cheap. watched counts the corridors to the country in that quarter. The list is the one of 2023. Published
-- figures.
with watched as (
    select
        cost.*,
        count(*) over (partition by cost.receiving_iso3) as watched_corridors,
        count(*) filter (where cost.cost_percent > 5)
            over (partition by cost.receiving_iso3)
            as above_5_percent
    from marts.remittance_corridor_cost as cost
    inner join marts.dim_country_list as list
        on cost.receiving_iso3 = list.country_iso3 and list.country_list = 'who_safeguards_2023'
    where
        cost.basis = 'published average'
        and cost.amount_usd = 200
        and (cost.year, cost.quarter) = (
            select
                latest.year,
                latest.quarter
            from marts.remittance_corridor_cost as latest
            where latest.basis = 'published average' and latest.amount_usd = 200
            order by latest.year desc, latest.quarter desc
            limit 1
        )
)

select
    watched.receiving_iso3,
    country.name as receiving_country,
    watched.sending_iso3,
    watched.year,
    watched.quarter,
    round(cast(watched.cost_percent as numeric), 2) as cost_percent,
    watched.watched_corridors,
    watched.above_5_percent,
    watched.is_synthetic
from watched
inner join marts.dim_country as country on watched.receiving_iso3 = country.country_iso3
where watched.cost_percent > 5
order by watched.cost_percent desc, watched.receiving_iso3 asc, watched.sending_iso3 asc;
