{{ config(materialized='view') }}

with observation as (
    select * from {{ ref('int_world_bank_observation') }}
    where measure in ('received_usd', 'received_gdp_share', 'cost_inbound')
),

gdp_share as (
    select * from {{ ref('int_remittance_gdp_share') }}
    where measure = 'received_gdp_share_recomputed'
),

abroad as (
    select * from {{ ref('int_mobility_abroad') }}
    where occupation_code in ('221', '2221+3221')
),

indicator_value as (
    select * from {{ ref('int_nhwa__indicator_value') }}
    where handbook_edition = '2017' and indicator_code = '7-02' and unit = 'current US dollars'
),

-- From the year in which the Code was adopted.
figure as (
    select
        country_iso3,
        year,
        measure,
        value,
        is_modelled,
        is_synthetic,
        array[fetch_id] as fetch_ids
    from observation
    where year >= 2010
    union all
    select
        country_iso3,
        year,
        measure,
        value,
        cast(null as boolean) as is_modelled,
        is_synthetic,
        fetch_ids
    from gdp_share
    where year >= 2010
),

received as (
    select
        figure.country_iso3,
        figure.year,
        figure_set.figures,
        max(figure.value) filter (where figure.measure = 'received_usd') as received_usd,
        max(figure.value) filter (where figure.measure = 'received_gdp_share') as gdp_share_published,
        max(figure.value) filter (where figure.measure = 'received_gdp_share_recomputed')
            as gdp_share_recomputed,
        max(figure.value) filter (where figure.measure = 'cost_inbound') as cost_percent,
        -- What the publisher does not say of one figure is not known of the row, unless another is modelled.
        case
            when bool_or(figure.is_modelled) then true
            when bool_and(figure.is_modelled is not null) then false
        end as is_modelled,
        bool_or(figure.is_synthetic) as is_synthetic,
        {{ union_fetch_ids('figure.fetch_ids') }} as fetch_ids
    from figure
    inner join {{ figure_sets() }} on (figure_set.takes_synthetic or not figure.is_synthetic)
    group by figure.country_iso3, figure.year, figure_set.figures
),

country_year as (
    select
        country_iso3,
        year,
        figures
    from received
    union
    select
        country_iso3,
        year,
        figures
    from abroad
    where year >= 2010
)

select
    country_year.country_iso3,
    country_year.year,
    country_year.figures,
    received.received_usd,
    coalesce(received.gdp_share_published, received.gdp_share_recomputed) as received_gdp_share,
    case
        when received.gdp_share_published is not null then 'published'
        when received.gdp_share_recomputed is not null then 'recomputed'
    end as received_gdp_share_basis,
    received.cost_percent,
    indicator_value.value as oda_for_workforce_usd,
    case when received.country_iso3 is null then false else received.is_modelled end as is_modelled,
    coalesce(received.is_synthetic, false) or coalesce(indicator_value.is_synthetic, false) as is_synthetic,
    {{ merge_fetch_ids(['received.fetch_ids', 'indicator_value.fetch_ids']) }} as fetch_ids
from country_year
left join received
    on
        country_year.country_iso3 = received.country_iso3
        and country_year.year = received.year
        and country_year.figures = received.figures
left join indicator_value
    on
        country_year.country_iso3 = indicator_value.country_iso3
        and country_year.year = indicator_value.year
        and (country_year.figures = 'all' or not indicator_value.is_synthetic)
