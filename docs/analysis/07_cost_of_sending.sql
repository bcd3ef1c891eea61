-- Average cost of sending 200 US dollars to a country in 2020, by its income group of that day.
select
    coalesce(classified.income_group, 'not classified') as income_group,
    count(*) as countries,
    round(cast(avg(cost.value) as numeric), 2) as mean_cost_percent,
    count(*) filter (where cost.value <= 3) as at_most_3_percent,
    count(*) filter (where cost.value > 10) as above_10_percent
from marts.remittances as cost
left join marts.dim_country_by_date as classified
    on cost.country_iso3 = classified.country_iso3
        and date '2020-07-01' >= classified.valid_from
        and date '2020-07-01' < classified.valid_to
where cost.measure = 'cost_inbound' and cost.year = 2020
group by classified.income_group
order by mean_cost_percent desc;
