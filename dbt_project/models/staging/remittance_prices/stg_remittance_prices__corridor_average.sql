with corridor_average as (
    {{ versions('remittance_prices', 'corridor_average') }}
),

remittance_price_area as (
    select * from {{ ref('remittance_price_area') }}
),

sender as (
    select * from remittance_price_area
),

receiver as (
    select * from remittance_price_area
)

select
    case when sender.code is null then corridor_average.sending_country else sender.country_iso3 end
        as sending_iso3,
    case when receiver.code is null then corridor_average.receiving_country else receiver.country_iso3 end
        as receiving_iso3,
    cast(substring(corridor_average.period from 1 for 4) as integer) as year,
    cast(substring(corridor_average.period from 6 for 1) as integer) as quarter,
    corridor_average.total_cost as total_cost_percent,
    corridor_average.is_synthetic,
    corridor_average.fetch_id
from corridor_average
left join sender on corridor_average.sending_country = sender.code
left join receiver on corridor_average.receiving_country = receiver.code
where corridor_average.series_code = 'ATCR.CORR'
