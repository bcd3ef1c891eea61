-- Share of reporting countries with laws on recruitment and with a record of recruiters, round by round.
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
