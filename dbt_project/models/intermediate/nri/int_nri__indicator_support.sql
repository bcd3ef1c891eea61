with support_pair as (
    select * from {{ ref('int_nri__support_pair') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
)

select
    support_pair.donor_iso3 as country_iso3,
    support_pair.round_year,
    'support_confirmed' as indicator,
    count(*) filter (where country_round.report_status = 'submitted') > 0 as is_answered,
    count(*) filter (where support_pair.is_reported_by_recipient) as numerator,
    count(*) filter (where country_round.report_status = 'submitted') as denominator
from support_pair
left join country_round
    on
        support_pair.recipient_iso3 = country_round.country_iso3
        and support_pair.round_year = country_round.round_year
where support_pair.is_reported_by_donor
group by support_pair.donor_iso3, support_pair.round_year
