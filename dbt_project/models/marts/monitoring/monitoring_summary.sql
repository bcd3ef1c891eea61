with indicator_value as (
    select * from {{ ref('int_nri__indicator_value') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

indicator as (
    select * from {{ ref('indicator') }}
),

agreement_report as (
    select * from {{ ref('int_nri__agreement_report') }}
),

country_group as (
    select
        country_round.country_iso3,
        country_round.round_year,
        country_round.report_status,
        country_round.fetch_ids,
        country_round.is_synthetic,
        grouping_of.grouping_kind,
        grouping_of.grouping_value
    from country_round
    cross join lateral (
        values
        ('global', 'all'),
        ('who_region', country_round.who_region),
        ('income_group', country_round.income_group),
        ('safeguards_status', country_round.safeguards_status)
    ) as grouping_of (grouping_kind, grouping_value)
),

group_provenance as (
    select
        round_year,
        grouping_kind,
        grouping_value,
        {{ union_fetch_ids() }} as fetch_ids,
        bool_or(is_synthetic) as is_synthetic
    from country_group
    group by round_year, grouping_kind, grouping_value
),

distinct_agreement as (
    select
        country_group.round_year,
        country_group.grouping_kind,
        country_group.grouping_value,
        count(distinct agreement_report.agreement_key) as agreements
    from country_group
    inner join agreement_report
        on
            country_group.country_iso3 = agreement_report.country_iso3
            and country_group.round_year = agreement_report.round_year
    group by country_group.round_year, country_group.grouping_kind, country_group.grouping_value
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
),

judged as (
    select
        summed.*,
        indicator.unit,
        indicator.minimum_coverage,
        group_provenance.fetch_ids,
        group_provenance.is_synthetic,
        case
            when summed.aggregation = 'distinct' then coalesce(distinct_agreement.agreements, 0)
            else summed.numerator
        end as counted,
        round(cast(summed.answered as numeric) / nullif(summed.expected, 0), 4) as coverage
    from summed
    inner join indicator on summed.indicator = indicator.indicator
    inner join group_provenance
        on
            summed.round_year = group_provenance.round_year
            and summed.grouping_kind = group_provenance.grouping_kind
            and summed.grouping_value = group_provenance.grouping_value
    left join distinct_agreement
        on
            summed.round_year = distinct_agreement.round_year
            and summed.grouping_kind = distinct_agreement.grouping_kind
            and summed.grouping_value = distinct_agreement.grouping_value
),

refused as (
    select
        *,
        case
            when expected = 0 then 'no country of the group was expected to answer'
            when answered = 0 then 'no country of the group answered'
            when coverage < minimum_coverage
                then format(
                        'answered by %s of %s, below the stated share of %s',
                        answered,
                        expected,
                        minimum_coverage
                    )
        end as refused_reason
    from judged
)

select
    round_year,
    code_article,
    '2010' as code_version,
    indicator,
    grouping_kind,
    grouping_value,
    cast(member_states as integer) as member_states,
    cast(reported as integer) as reported,
    cast(expected as integer) as expected,
    cast(answered as integer) as answered,
    cast(coverage as numeric(5, 4)) as coverage,
    minimum_coverage,
    cast(counted as numeric(20, 6)) as numerator,
    cast(denominator as numeric(20, 6)) as denominator,
    cast(
        case
            when refused_reason is not null then null
            when aggregation in ('share', 'mean') then counted / nullif(denominator, 0)
            else counted
        end as numeric(20, 6)
    ) as value,
    refused_reason,
    unit,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from refused
