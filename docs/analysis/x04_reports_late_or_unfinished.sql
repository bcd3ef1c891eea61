-- Which reports came late, were sent more than once, changed after they were sent, or were begun and never
-- sent?
-- Code articles 7.2(c) and 9.1.
-- days_late are days after the deadline; the round of 2012 had none. responses are those of the country in
-- the round, tests left out; of those submitted the latest counts. has_designated_authority says whether the
-- country named an authority that can be asked. Countries that sent nothing at all have no row here; see the
-- register. In the shipped figures all reports are synthetic.
select
    reporting.round_year,
    reporting.country_iso3,
    country.name,
    reporting.report_status,
    reporting.responses,
    cast(reporting.submitted_at as date) - held.deadline as days_late,
    reporting.is_edited_after_submission,
    reporting.has_designated_authority,
    reporting.is_synthetic
from marts.reporting
inner join marts.dim_round as held on reporting.round_year = held.round_year
inner join marts.dim_country as country on reporting.country_iso3 = country.country_iso3
where
    reporting.is_late
    or reporting.responses > 1
    or reporting.is_edited_after_submission
    or reporting.report_status = 'incomplete'
order by
    reporting.round_year desc,
    reporting.report_status asc,
    days_late desc nulls last,
    reporting.country_iso3 asc;
