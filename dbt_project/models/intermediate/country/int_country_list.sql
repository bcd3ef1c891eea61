with country_list as (
    select * from {{ ref('country_list') }}
),

member as (
    select * from {{ ref('country_list_member') }}
),

criteria as (
    select * from {{ ref('safeguards_criteria') }}
),

published as (
    select * from {{ ref('safeguards_published') }}
),

-- An edition of the safeguards list holds until the next one stood.
edition as (
    select
        edition,
        listed_by as valid_from,
        published_countries,
        lead(listed_by, 1, date '9999-12-31') over (order by listed_by) as valid_to,
        format(
            'Doctors, nurses and midwives below %s per 10 000 population and UHC index below %s '
            || '(definition %s)',
            round(density_threshold, 1),
            round(uhc_index_threshold),
            uhc_index_edition
        ) as rule
    from criteria
)

select
    'who_safeguards_' || edition.edition as country_list,
    'World Health Organization' as list_owner,
    'Health workforce support and safeguards list' as title,
    cast(edition.edition as text) as edition,
    'listed' as category,
    edition.rule,
    published.country_iso3,
    edition.valid_from,
    edition.valid_to,
    edition.published_countries,
    published.status,
    published.evidence
from edition
inner join published on edition.edition = published.edition
union all
select
    country_list.country_list,
    country_list.list_owner,
    country_list.title,
    country_list.edition,
    country_list.category,
    country_list.rule,
    member.country_iso3,
    member.valid_from,
    member.valid_to,
    country_list.published_countries,
    member.status,
    member.evidence
from country_list
inner join member on country_list.country_list = member.country_list
