with answer as (
    select * from {{ ref('int_nri__answer') }}
),

country_name as (
    select * from {{ ref('int_nri__country_name') }}
),

named as (
    select
        answer.country_iso3,
        answer.round_year,
        cast(replace(answer.measure, 'block_', '') as integer) as block_no,
        trim(entry.partner) as partner
    from answer
    cross join lateral string_to_table(answer.value_text, ';') as entry (partner)
    where
        answer.canonical_item = 'agreements'
        and answer.canonical_part = 'partners'
        and trim(entry.partner) <> ''
)

select distinct
    named.country_iso3,
    named.round_year,
    named.block_no,
    named.partner,
    country_name.country_iso3 as partner_iso3
from named
left join country_name on {{ normalised_name('named.partner') }} = country_name.normalised_name
