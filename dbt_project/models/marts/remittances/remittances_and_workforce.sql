with country_year as (
    select * from {{ ref('int_remittance_country_year') }}
),

inflow as (
    select * from {{ ref('int_remittance_inflow') }}
),

workforce as (
    select * from {{ ref('int_remittance_workforce') }}
),

indicator_value as (
    select * from {{ ref('int_nhwa__indicator_value') }}
    where handbook_edition = '2017'
),

held as materialized (
    select
        coalesce(bool_or(indicator_code = '2-07'), false) as has_graduates,
        coalesce(bool_or(indicator_code = '7-02'), false) as has_oda
    from indicator_value
),

by_occupation as (
    select
        country_iso3,
        year,
        figures,
        {% for name, code in [('doctors', '221'), ('nurses', '2221+3221')] -%}
            max(abroad) filter (where occupation_code = '{{ code }}') as {{ name }}_abroad,
            max(abroad_year) filter (where occupation_code = '{{ code }}') as {{ name }}_abroad_year,
            max(destinations) filter (where occupation_code = '{{ code }}') as {{ name }}_destinations,
            max(home) filter (where occupation_code = '{{ code }}') as {{ name }}_home,
            max(home_year) filter (where occupation_code = '{{ code }}') as {{ name }}_home_year,
            max(graduates) filter (where occupation_code = '{{ code }}') as {{ name }}_graduates,
        {% endfor -%}
        bool_or(is_synthetic) as is_synthetic,
        {{ union_fetch_ids("nullif(fetch_ids, '{}')") }} as fetch_ids
    from workforce
    group by country_iso3, year, figures
),

-- The corridors of the nearest year within three, real before synthetic, of two as near the earlier.
nearest as (
    select distinct on (country_year.country_iso3, country_year.year, country_year.figures)
        country_year.*,
        inflow.corridors,
        inflow.year as corridors_year,
        inflow.corridors_usd,
        inflow.largest_sender_iso3,
        inflow.largest_corridor_usd,
        coalesce(inflow.is_synthetic, false) as inflow_is_synthetic,
        inflow.fetch_ids as inflow_fetch_ids
    from country_year
    left join inflow
        on
            country_year.country_iso3 = inflow.country_iso3
            and country_year.figures = inflow.figures
            and abs(country_year.year - inflow.year) <= 3
    order by
        country_year.country_iso3,
        country_year.year,
        country_year.figures,
        inflow.is_synthetic,
        abs(country_year.year - inflow.year),
        inflow.year
)

select
    nearest.country_iso3,
    nearest.year,
    nearest.figures,
    cast(nearest.received_usd as numeric(20, 2)) as received_usd,
    case when nearest.received_usd is null then 'not published for the year' end
        as received_usd_missing_because,
    cast(nearest.received_gdp_share as numeric(9, 4)) as received_gdp_share,
    nearest.received_gdp_share_basis,
    case when nearest.received_gdp_share is null then 'remittances or GDP not published for the year' end
        as received_gdp_share_missing_because,
    cast(nearest.cost_percent as numeric(9, 4)) as cost_percent,
    case when nearest.cost_percent is null then 'not published for the year' end
        as cost_percent_missing_because,
    cast(nearest.corridors as integer) as corridors,
    nearest.corridors_year,
    nearest.largest_sender_iso3,
    cast(nearest.largest_corridor_usd as numeric(20, 2)) as largest_corridor_usd,
    cast(nearest.largest_corridor_usd / nullif(nearest.corridors_usd, 0) as numeric(9, 6))
        as largest_corridor_share,
    case when nearest.corridors is null then 'no corridor estimate within three years' end
        as corridors_missing_because,
    {% for name in ['doctors', 'nurses'] -%}
        cast(by_occupation.{{ name }}_abroad as numeric(14, 2)) as {{ name }}_abroad,
        by_occupation.{{ name }}_abroad_year,
        cast(by_occupation.{{ name }}_destinations as integer) as {{ name }}_destinations,
        case
            when by_occupation.{{ name }}_abroad is null then 'no destination reports them within three years'
        end as {{ name }}_abroad_missing_because,
        cast(by_occupation.{{ name }}_home as numeric(14, 2)) as {{ name }}_home,
        by_occupation.{{ name }}_home_year,
        case when by_occupation.{{ name }}_home is null then 'no stock within three years' end
            as {{ name }}_home_missing_because,
        cast(by_occupation.{{ name }}_graduates as numeric(14, 2)) as {{ name }}_graduates,
        case
            when by_occupation.{{ name }}_graduates is not null then null
            when held.has_graduates then 'not reported for the year'
            else 'indicator 2-07 not held'
        end as {{ name }}_graduates_missing_because,
    {% endfor -%}
    cast(nearest.oda_for_workforce_usd as numeric(20, 2)) as oda_for_workforce_usd,
    case
        when nearest.oda_for_workforce_usd is not null then null
        when held.has_oda then 'not reported for the year'
        else 'indicator 7-02 not held'
    end as oda_for_workforce_missing_because,
    nearest.is_synthetic or nearest.inflow_is_synthetic or by_occupation.is_synthetic as is_synthetic,
    nearest.corridors is not null or nearest.is_modelled as is_modelled,
    {{ merge_fetch_ids(['nearest.fetch_ids', 'nearest.inflow_fetch_ids', 'by_occupation.fetch_ids']) }}
        as fetch_ids
from nearest
inner join by_occupation
    on
        nearest.country_iso3 = by_occupation.country_iso3
        and nearest.year = by_occupation.year
        and nearest.figures = by_occupation.figures
cross join held
