with report as (
    select * from {{ ref('int_nri__agreement_report') }}
),

agreement as (
    select * from {{ ref('int_nri__agreement') }}
),

listed as (
    select * from {{ ref('int_nri__agreement_safeguards') }}
)

select
    report.country_iso3,
    report.round_year,
    report.agreement_key,
    flag.indicator,
    flag.has_it
from report
inner join agreement on report.agreement_key = agreement.agreement_key
left join listed
    on
        report.country_iso3 = listed.country_iso3
        and report.round_year = listed.round_year
        and report.block_no = listed.block_no
cross join
    lateral (
        values
        ('agreements_distinct', true),
        ('agreements_confirmed', agreement.is_confirmed_by_other_party),
        ('agreements_safeguards_party', listed.has_listed_partner),
        ('agreements_care_workers', report.has_care_workers)
        {%- for element in agreement_elements() %}
            ,
            ('agreements_{{ element }}', report.has_{{ element }})

        {%- endfor %}
    ) as flag (indicator, has_it)
where flag.has_it is not null
