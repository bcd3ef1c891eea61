with quote as (
    {{ versions('remittance_prices', 'quote') }}
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

-- A rate of 1 and a margin of 0 stand for "not disclosed" where the provider does not disclose its rate: they
-- become null, and the total cost of such a quote is its fee alone. A rate of 1 of a provider that does
-- disclose it is a transfer without exchange, or a placeholder: the publisher does not say which.
select
    quote.quote_id,
    case when sender.code is null then quote.source_country else sender.country_iso3 end as sending_iso3,
    case when receiver.code is null then quote.destination_country else receiver.country_iso3 end
        as receiving_iso3,
    cast(substring(quote.period from 1 for 4) as integer) as year,
    cast(substring(quote.period from 6 for 1) as integer) as quarter,
    quote.firm,
    quote.firm_type,
    quote.payment_instrument,
    quote.access_point,
    quote.transparent as is_margin_disclosed,
    nullif(quote.cc1_amount, 0) as amount_200,
    quote.cc1_fee as fee_200,
    case when quote.transparent or quote.cc1_rate <> 1 then quote.cc1_rate end as rate_200,
    case when quote.transparent or quote.cc1_margin <> 0 then quote.cc1_margin end as margin_200_percent,
    quote.cc1_total_cost as total_cost_200_percent,
    nullif(quote.cc2_amount, 0) as amount_500,
    quote.cc2_fee as fee_500,
    case when quote.transparent or quote.cc2_rate <> 1 then quote.cc2_rate end as rate_500,
    case when quote.transparent or quote.cc2_margin <> 0 then quote.cc2_margin end as margin_500_percent,
    quote.cc2_total_cost as total_cost_500_percent,
    quote.date as quoted_on,
    quote.is_synthetic,
    quote.fetch_id
from quote
left join sender on quote.source_country = sender.code
left join receiver on quote.destination_country = receiver.code
