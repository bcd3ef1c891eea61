-- How do answers differ between countries on the WHO safeguards list and others, by WHO region as it then
-- stood?
-- Code articles 3.6 and 3.8.
-- Shares are of the countries that answered (listed_answers, other_answers), not of all that reported; list
-- and region are those of the day the round closed, so that Indonesia is of the South-East Asia Region up to
-- 2021 and of the Western Pacific Region in 2024. Rounds before the first list (2020) cannot be told apart
-- and are left out. No share is shown where fewer answered than the indicator's minimum coverage of those
-- that reported. The groups are small: read the counts before the difference. In the shipped figures all
-- answers are synthetic.
with answered as (
    select
        monitoring.round_year,
        monitoring.indicator,
        indicator.title,
        reporting.who_region,
        indicator.minimum_coverage,
        monitoring.expected,
        monitoring.answered,
        monitoring.value,
        monitoring.is_synthetic,
        reporting.safeguards_status = 'listed' as is_listed
    from marts.monitoring
    inner join marts.dim_indicator as indicator on monitoring.indicator = indicator.indicator
    inner join marts.reporting
        on monitoring.country_iso3 = reporting.country_iso3 and monitoring.round_year = reporting.round_year
    where
        monitoring.code_article in ('3.6', '3.8')
        and indicator.population = 'reporters'
        and reporting.safeguards_status <> 'no_list_in_force'
),

grouped as (
    select
        round_year,
        indicator,
        title,
        who_region,
        count(*) filter (where is_listed and answered) as listed_answers,
        case
            when
                count(*) filter (where is_listed and answered)
                >= min(minimum_coverage) * count(*) filter (where is_listed and expected)
                then avg(value) filter (where is_listed and answered)
        end as listed_share,
        count(*) filter (where not is_listed and answered) as other_answers,
        case
            when
                count(*) filter (where not is_listed and answered)
                >= min(minimum_coverage) * count(*) filter (where not is_listed and expected)
                then avg(value) filter (where not is_listed and answered)
        end as other_share,
        bool_or(is_synthetic) as is_synthetic
    from answered
    group by round_year, indicator, title, who_region
)

select
    round_year,
    indicator,
    title,
    who_region,
    listed_answers,
    round(listed_share, 3) as listed_share,
    other_answers,
    round(other_share, 3) as other_share,
    round(100 * (listed_share - other_share), 1) as difference_points,
    is_synthetic
from grouped
where listed_answers + other_answers > 0
order by round_year desc, indicator asc, who_region asc;
