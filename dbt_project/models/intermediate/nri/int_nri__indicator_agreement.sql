with report as (
    select * from {{ ref('int_nri__agreement_report') }}
),

agreement as (
    select * from {{ ref('int_nri__agreement') }}
),

answer as (
    select * from {{ ref('int_nri__answer') }}
),

listed as (
    select * from {{ ref('int_nri__agreement_safeguards') }}
),

notified as (
    select
        report.country_iso3,
        report.round_year,
        count(*) as agreements,
        count(distinct report.agreement_key) as distinct_agreements,
        count(*) filter (where agreement.is_confirmed_by_other_party) as confirmed,
        count(listed.has_listed_partner) as judged_by_list,
        count(*) filter (where listed.has_listed_partner) as with_listed_partner
        {%- for element in agreement_elements() %}
            ,
            count(report.has_{{ element }}) as shown_{{ element }},
            count(*) filter (where report.has_{{ element }}) as with_{{ element }}
    
        {%- endfor %}
    from report
    inner join agreement on report.agreement_key = agreement.agreement_key
    left join listed
        on
            report.country_iso3 = listed.country_iso3
            and report.round_year = listed.round_year
            and report.block_no = listed.block_no
    group by report.country_iso3, report.round_year
),

asked as (
    select
        answer.country_iso3,
        answer.round_year,
        answer.value_code is not null as is_answered
    from answer
    where
        answer.canonical_item = 'agreements'
        and answer.canonical_part = 'any'
)

select
    asked.country_iso3,
    asked.round_year,
    measured.indicator,
    measured.is_answered,
    measured.numerator,
    measured.denominator
from asked
left join notified
    on
        asked.country_iso3 = notified.country_iso3
        and asked.round_year = notified.round_year
cross join lateral (
    values
    ('agreements_notified', asked.is_answered, coalesce(notified.agreements, 0), 1),
    ('agreements_distinct', asked.is_answered, coalesce(notified.distinct_agreements, 0), 1),
    ('agreements_confirmed', notified.agreements > 0, notified.confirmed, notified.agreements),
    (
        'agreements_safeguards_party',
        notified.judged_by_list > 0,
        notified.with_listed_partner,
        notified.judged_by_list
    )
    {%- for element in agreement_elements() %}
        ,
        (
            'agreements_{{ element }}',
            notified.shown_{{ element }} > 0,
            notified.with_{{ element }},
            notified.shown_{{ element }}
        )
    
    {%- endfor %}
) as measured (indicator, is_answered, numerator, denominator)
