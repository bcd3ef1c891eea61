-- How many countries report on the Code, in time, and how completely?
-- Code articles 7.2(c) and 9.1.
-- Submitted reports that count (one a country and round), those by the deadline, designated authorities, and
-- the mean share of the questions shown that are answered. Beside them the published counts with how sure
-- they are. The round of 2012 had no deadline, so that none of its reports is in time. Synthetic reports in
-- the shipped figures: the counts are not those published.
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
