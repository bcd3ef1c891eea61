-- Which Member States have no designated national authority, or an authority but no report in the last two
-- rounds?
-- Code articles 7.3 (authority) and 7.2(c) (report).
-- A row for every Member State of the day the latest round closed that lacks one of the two. The register
-- keeps the last authority named in a round that is loaded and not denied since: a Member State outside the
-- reports at hand counts as without. report_status is that of the latest round. In the shipped figures the
-- reports are synthetic, for some 40 countries a round, so that most Member States stand here: no statement
-- about any country.
select
    case
        when not authority.is_on_register then 'no designated authority'
        else 'authority, no report in two rounds'
    end as finding,
    reporting.who_region,
    authority.country_iso3,
    country.name,
    authority.round_year,
    authority.designation,
    authority.last_named_round_year,
    authority.report_status,
    authority.last_report_round_year,
    authority.reports_in_last_two_rounds,
    reporting.is_synthetic
from marts.designated_authorities as authority
inner join marts.reporting
    on authority.country_iso3 = reporting.country_iso3 and authority.round_year = reporting.round_year
inner join marts.dim_country as country on authority.country_iso3 = country.country_iso3
where
    authority.round_year = (select max(latest.round_year) from marts.designated_authorities as latest)
    and (not authority.is_on_register or authority.reports_in_last_two_rounds = 0)
order by finding, reporting.who_region, authority.country_iso3;
