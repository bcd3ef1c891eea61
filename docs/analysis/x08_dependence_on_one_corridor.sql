-- Which countries' remittances hang on one single country where their migrants live?
-- Background to Code articles 3.8 and 5.1. Remittances of ALL migrants, of any occupation.
-- Share of the largest corridor in all that a country is estimated to receive in the matrix of 2017, and the
-- migrants there. Every figure is modelled from migrant stocks and incomes (Ratha and Shaw 2007), none is
-- measured: the share tells where the migrants are, not what they sent. Countries that are estimated to
-- receive at least 1 billion US dollars.
with corridor as materialized (
    select
        receiving_iso3,
        sending_iso3,
        value,
        is_modelled,
        is_synthetic
    from marts.remittance_corridors
    where measure = 'remittance_estimate' and source = 'knomad_matrix' and year = 2017 and value > 0
),

received as (
    select
        receiving_iso3,
        sum(value) as received_usd,
        max(value) as largest_usd
    from corridor
    group by receiving_iso3
    having sum(value) >= 1e9
)

select
    received.receiving_iso3,
    receiver.name,
    largest.sending_iso3,
    round(cast(received.received_usd / 1e9 as numeric), 2) as received_billion_usd,
    round(cast(received.largest_usd / received.received_usd as numeric), 3) as share_of_largest_corridor,
    cast(migrants.value as integer) as migrants_there,
    largest.is_modelled,
    largest.is_synthetic
from received
inner join corridor as largest
    on received.receiving_iso3 = largest.receiving_iso3 and received.largest_usd = largest.value
inner join marts.dim_country as receiver on received.receiving_iso3 = receiver.country_iso3
left join marts.remittance_corridors as migrants
    on
        largest.sending_iso3 = migrants.sending_iso3
        and largest.receiving_iso3 = migrants.receiving_iso3
        and migrants.year = 2017
        and migrants.measure = 'migrant_stock'
        and migrants.source = 'knomad_matrix'
order by share_of_largest_corridor desc, received.receiving_iso3 asc, largest.sending_iso3 asc;
