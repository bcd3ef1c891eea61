with agreement as (
    select * from {{ ref('int_nri__agreement') }}
),

report as (
    select * from {{ ref('int_nri__agreement_report') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

party as (
    select
        agreement.agreement_key,
        agreement.is_synthetic,
        agreement.fetch_ids,
        member.country_iso3,
        noted.round_year
    from agreement
    cross join lateral unnest(agreement.parties) as member (country_iso3)
    cross join lateral unnest(agreement.round_years) as noted (round_year)
),

told as (
    select distinct
        agreement_key,
        country_iso3,
        round_year
    from report
),

-- One row a party and round in which anybody reports the agreement.
seen as (
    select
        party.agreement_key,
        party.country_iso3,
        party.round_year,
        party.is_synthetic or coalesce(country_round.is_synthetic, false) as is_synthetic,
        told.country_iso3 is not null as is_told,
        coalesce(country_round.report_status = 'submitted', false) as is_submitted,
        {{ merge_fetch_ids(['party.fetch_ids', "coalesce(country_round.fetch_ids, '{}')"]) }} as fetch_ids,
        country_round.who_region,
        country_round.income_group,
        country_round.safeguards_status
    from party
    left join told
        on
            party.agreement_key = told.agreement_key
            and party.country_iso3 = told.country_iso3
            and party.round_year = told.round_year
    left join country_round
        on
            party.country_iso3 = country_round.country_iso3
            and party.round_year = country_round.round_year
)

select
    agreement_key,
    country_iso3,
    bool_or(is_told) as is_reporter,
    coalesce(array_agg(round_year order by round_year) filter (where is_told), '{}') as told_round_years,
    coalesce(array_agg(round_year order by round_year) filter (where is_submitted and not is_told), '{}')
        as silent_round_years,
    (array_agg(who_region order by round_year desc))[1] as who_region,
    (array_agg(income_group order by round_year desc))[1] as income_group,
    (array_agg(safeguards_status order by round_year desc))[1] as safeguards_status,
    {{ union_fetch_ids() }} as fetch_ids,
    bool_or(is_synthetic) as is_synthetic
from seen
group by agreement_key, country_iso3
