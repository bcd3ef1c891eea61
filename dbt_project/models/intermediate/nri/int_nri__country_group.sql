with country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

round_population as (
    select * from {{ ref('int_nri__round_population') }}
),

indicator_source as (
    select * from {{ ref('int_nri__indicator_source') }}
    where indicator <> 'population_share'
)

select
    country_round.country_iso3,
    country_round.round_year,
    grouping_of.grouping_kind,
    grouping_of.grouping_value,
    country_round.report_status,
    country_round.closed_on,
    round_population.population,
    {{ merge_fetch_ids([
        'country_round.fetch_ids', 'array[round_population.fetch_id]', 'indicator_source.fetch_ids'
    ]) }} as fetch_ids,
    country_round.is_synthetic
    or coalesce(round_population.is_synthetic, false)
    or coalesce(indicator_source.is_synthetic, false) as is_synthetic
from country_round
left join round_population
    on
        country_round.country_iso3 = round_population.country_iso3
        and country_round.round_year = round_population.round_year
left join indicator_source
    on
        country_round.country_iso3 = indicator_source.country_iso3
        and country_round.round_year = indicator_source.round_year
cross join lateral (
    values
    ('global', 'all'),
    ('who_region', country_round.who_region),
    ('income_group', country_round.income_group),
    ('safeguards_status', country_round.safeguards_status)
) as grouping_of (grouping_kind, grouping_value)
