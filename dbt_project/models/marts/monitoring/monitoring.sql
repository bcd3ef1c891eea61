with indicator_value as (
    select * from {{ ref('int_nri__indicator_value') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

indicator_source as (
    select * from {{ ref('int_nri__indicator_source') }}
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
    country_round.is_synthetic or coalesce(indicator_source.is_synthetic, false) as is_synthetic,
    coalesce(indicator_source.is_modelled, false) as is_modelled,
    case
        when indicator_source.fetch_ids is null then country_round.fetch_ids
        else {{ merge_fetch_ids(['country_round.fetch_ids', 'indicator_source.fetch_ids']) }}
    end as fetch_ids
from indicator_value
inner join country_round
    on
        indicator_value.country_iso3 = country_round.country_iso3
        and indicator_value.round_year = country_round.round_year
inner join indicator on indicator_value.indicator = indicator.indicator
left join indicator_source
    on
        indicator_value.country_iso3 = indicator_source.country_iso3
        and indicator_value.round_year = indicator_source.round_year
        and indicator_value.indicator = indicator_source.indicator
