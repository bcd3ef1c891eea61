-- National reports by round: received, in time, and how complete; beside them the published counts.
select
    round_year,
    count(*) filter (where reporting.report_status = 'submitted') as reports,
    count(*) filter (where reporting.report_status = 'submitted' and not reporting.is_late) as in_time,
    count(*) filter (where reporting.has_designated_authority) as authorities,
    round(avg(reporting.answered_share) filter (where reporting.report_status = 'submitted'), 2)
        as mean_answered_share,
    nri.published_reports,
    nri.published_status,
    bool_or(reporting.is_synthetic) as is_synthetic
from marts.reporting
inner join marts.dim_round as nri using (round_year)
group by round_year, nri.published_reports, nri.published_status
order by round_year;
