with indicator_value as (
    select * from {{ ref('int_nri__indicator_value') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

round_population as (
    select * from {{ ref('int_nri__round_population') }}
),

indicator as (
    select * from {{ ref('indicator') }}
)

select
    indicator_value.country_iso3,
    indicator_value.round_year,
    indicator_value.code_article,
    '2010' as code_version,
    indicator_value.indicator,
    indicator_value.is_expected as expected,
    indicator_value.is_answered as answered,
    cast(
        case
            when indicator.unit = 'share'
                then indicator_value.numerator / nullif(indicator_value.denominator, 0)
            else indicator_value.numerator
        end as numeric(20, 6)
    ) as value,
    indicator_value.numerator,
    indicator_value.denominator,
    indicator.unit,
    country_round.report_status,
    country_round.survey_id,
    country_round.survey_response_id,
    country_round.closed_on > {{ as_of_date() }} as is_provisional,
    country_round.is_synthetic or coalesce(round_population.is_synthetic, false) as is_synthetic,
    round_population.country_iso3 is not null as is_modelled,
    case
        when round_population.fetch_id is null then country_round.fetch_ids
        else {{ merge_fetch_ids(['country_round.fetch_ids', 'array[round_population.fetch_id]']) }}
    end as fetch_ids
from indicator_value
inner join country_round
    on
        indicator_value.country_iso3 = country_round.country_iso3
        and indicator_value.round_year = country_round.round_year
inner join indicator on indicator_value.indicator = indicator.indicator
left join round_population
    on
        indicator_value.indicator = 'population_share'
        and indicator_value.country_iso3 = round_population.country_iso3
        and indicator_value.round_year = round_population.round_year
