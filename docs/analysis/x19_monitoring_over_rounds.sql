-- Do more countries have laws on recruitment, and keep a record of recruiters?
-- Code articles 8.2 and 8.5.
-- Share of yes among the countries that answered. expected: countries whose report asks the question,
-- coverage: the share of them that answered, below the indicator's stated minimum no value is shown. Reports
-- differ from round to round, so part of a change is who reports. Synthetic reports in the shipped figures.
select
    indicator,
    code_article,
    round_year,
    expected,
    answered,
    coverage,
    round(value, 3) as value,
    refused_reason,
    is_synthetic
from marts.monitoring_summary
where indicator in ('law_policy_intl', 'impl_8_5') and grouping_kind = 'global'
order by indicator, round_year;
