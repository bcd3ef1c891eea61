{{ config(materialized='view') }}

with pair as (
    select * from {{ ref('int_remittance_corridor_pair') }}
    where remittances_usd > 0
)

select
    pair.receiving_iso3 as country_iso3,
    pair.year,
    figure_set.figures,
    count(*) as corridors,
    sum(cast(pair.remittances_usd as numeric)) as corridors_usd,
    (array_agg(pair.sending_iso3 order by pair.remittances_usd desc, pair.sending_iso3 asc))[1]
        as largest_sender_iso3,
    cast(max(pair.remittances_usd) as numeric) as largest_corridor_usd,
    bool_or(pair.is_synthetic) as is_synthetic,
    {{ union_fetch_ids('pair.fetch_ids') }} as fetch_ids
from pair
inner join {{ figure_sets() }} on (figure_set.takes_synthetic or not pair.is_synthetic)
group by pair.receiving_iso3, pair.year, figure_set.figures
