-- What does it cost to send money to poorer countries?
-- Background to Code articles 3.8 and 5.1. Goal 10.c of the Sustainable Development Goals: at most 3
-- percent.
-- Average cost of sending 200 US dollars to a country in 2020, percent of the amount, as the World Bank
-- publishes it, by the income group of 1 July 2020. Means are over countries, not over money. Countries
-- without a figure are left out.
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
