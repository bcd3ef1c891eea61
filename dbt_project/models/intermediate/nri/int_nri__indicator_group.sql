with indicator_value as (
    select * from {{ ref('int_nri__indicator_value') }}
),

country_group as (
    select * from {{ ref('int_nri__country_group') }}
),

flag as (
    select * from {{ ref('int_nri__agreement_flag') }}
),

-- Agreements counted once in a group, however many of its countries report them.
distinct_agreement as (
    select
        country_group.round_year,
        country_group.grouping_kind,
        country_group.grouping_value,
        flag.indicator,
        count(distinct flag.agreement_key) filter (where flag.has_it) as numerator,
        count(distinct flag.agreement_key) as denominator
    from country_group
    inner join flag
        on
            country_group.country_iso3 = flag.country_iso3
            and country_group.round_year = flag.round_year
    group by
        country_group.round_year,
        country_group.grouping_kind,
        country_group.grouping_value,
        flag.indicator
),

summed as (
    select
        indicator_value.round_year,
        indicator_value.code_article,
        indicator_value.indicator,
        indicator_value.aggregation,
        country_group.grouping_kind,
        country_group.grouping_value,
        count(*) as member_states,
        count(*) filter (where country_group.report_status = 'submitted') as reported,
        count(*) filter (where indicator_value.is_expected) as expected,
        count(*) filter (where indicator_value.is_answered) as answered,
        sum(country_group.population) as population,
        coalesce(sum(country_group.population) filter (where indicator_value.is_answered), 0)
            as answered_population,
        coalesce(sum(indicator_value.numerator), 0) as numerator,
        coalesce(sum(indicator_value.denominator), 0) as denominator
    from indicator_value
    inner join country_group
        on
            indicator_value.country_iso3 = country_group.country_iso3
            and indicator_value.round_year = country_group.round_year
    group by
        indicator_value.round_year,
        indicator_value.code_article,
        indicator_value.indicator,
        indicator_value.aggregation,
        country_group.grouping_kind,
        country_group.grouping_value
)

select
    summed.round_year,
    summed.code_article,
    summed.indicator,
    summed.aggregation,
    summed.grouping_kind,
    summed.grouping_value,
    summed.member_states,
    summed.reported,
    summed.expected,
    summed.answered,
    cast(cast(summed.answered as numeric) / nullif(summed.expected, 0) as numeric(5, 4)) as coverage,
    cast(summed.answered_population / nullif(summed.population, 0) as numeric(5, 4)) as population_share,
    case summed.aggregation
        when 'distinct' then coalesce(distinct_agreement.numerator, 0)
        else summed.numerator
    end as numerator,
    case summed.aggregation
        when 'distinct' then coalesce(distinct_agreement.denominator, 0)
        else summed.denominator
    end as denominator
from summed
left join distinct_agreement
    on
        summed.round_year = distinct_agreement.round_year
        and summed.grouping_kind = distinct_agreement.grouping_kind
        and summed.grouping_value = distinct_agreement.grouping_value
        and summed.indicator = distinct_agreement.indicator
