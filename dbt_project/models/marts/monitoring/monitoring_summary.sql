with indicator_group as (
    select * from {{ ref('int_nri__indicator_group') }}
),

country_group as (
    select * from {{ ref('int_nri__country_group') }}
),

indicator as (
    select * from {{ ref('indicator') }}
),

provenance as (
    select
        round_year,
        grouping_kind,
        grouping_value,
        max(closed_on) as closed_on,
        {{ union_fetch_ids() }} as fetch_ids,
        bool_or(is_synthetic) as is_synthetic
    from country_group
    group by round_year, grouping_kind, grouping_value
),

judged as (
    select
        indicator_group.*,
        indicator.unit,
        indicator.minimum_coverage,
        provenance.closed_on,
        provenance.fetch_ids,
        provenance.is_synthetic,
        case
            when indicator_group.expected = 0 then 'no country of the group was expected to answer'
            when indicator_group.answered = 0 then 'no country of the group answered'
            when indicator_group.coverage < indicator.minimum_coverage
                then format(
                        'answered by %s of %s, below the stated share of %s',
                        indicator_group.answered,
                        indicator_group.expected,
                        indicator.minimum_coverage
                    )
        end as refused_reason
    from indicator_group
    inner join indicator on indicator_group.indicator = indicator.indicator
    inner join provenance
        on
            indicator_group.round_year = provenance.round_year
            and indicator_group.grouping_kind = provenance.grouping_kind
            and indicator_group.grouping_value = provenance.grouping_value
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
    coverage,
    population_share,
    minimum_coverage,
    cast(numerator as numeric(20, 6)) as numerator,
    cast(denominator as numeric(20, 6)) as denominator,
    cast(
        case
            when refused_reason is not null then null
            when unit = 'share' or aggregation = 'mean' then numerator / nullif(denominator, 0)
            else numerator
        end as numeric(20, 6)
    ) as value,
    refused_reason,
    unit,
    closed_on > {{ as_of_date() }} as is_provisional,
    is_synthetic,
    indicator = 'population_share' as is_modelled,
    fetch_ids
from judged
