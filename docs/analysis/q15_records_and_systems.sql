-- Which countries have statistical records (national report) but no information system for the Code (NHWA
-- 10-02), or the opposite?
-- Code article 6.2.
-- The latest national report beside the latest year of the workforce accounts, both named. Records are kept
-- where the report says so of any occupation, and not kept where it denies them. A system that exists in
-- part is neither yes nor no and is counted in partial_systems alone. countries_compared answered both. Two
-- offices may have answered: a contradiction is to ask about. Synthetic reports and accounts in the shipped
-- figures.
with report as (
    select
        country_iso3,
        round_year,
        bool_or(records_kept = 'yes') as has_records,
        string_agg(occupation_code, ' ' order by occupation_code) filter (where records_kept = 'yes')
            as occupations_with_records,
        bool_or(is_synthetic) as is_synthetic,
        row_number() over (partition by country_iso3 order by round_year desc) as recency
    from marts.data_gathering
    where records_kept <> 'no_answer'
    group by country_iso3, round_year
),

account as (
    select
        country_iso3,
        year,
        answer,
        is_synthetic,
        row_number() over (partition by country_iso3 order by year desc) as recency
    from marts.workforce_systems
    where handbook_edition = '2017' and indicator_code = '10-02' and answer is not null
),

compared as (
    select
        report.country_iso3,
        report.round_year,
        report.has_records,
        report.occupations_with_records,
        account.year as nhwa_year,
        account.answer as has_system,
        report.is_synthetic or account.is_synthetic as is_synthetic,
        count(*) over () as countries_compared,
        count(*) filter (where account.answer = 'partial') over () as partial_systems
    from report
    inner join account on report.country_iso3 = account.country_iso3
    where report.recency = 1 and account.recency = 1
)

select
    case when compared.has_records then 'records, no system' else 'system, no records' end as finding,
    compared.country_iso3,
    country.name,
    compared.round_year,
    compared.occupations_with_records,
    compared.nhwa_year,
    compared.has_system,
    compared.countries_compared,
    compared.partial_systems,
    compared.is_synthetic
from compared
inner join marts.dim_country as country on compared.country_iso3 = country.country_iso3
where compared.has_system = case when compared.has_records then 'no' else 'yes' end
order by finding, compared.country_iso3;
