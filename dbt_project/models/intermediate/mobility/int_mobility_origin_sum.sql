{{ config(materialized='view') }}

with origin as (
    select * from {{ ref('int_mobility_origin') }}
    where measure = 'stock' and value is not null and not is_own_country
),

listed as (
    select * from {{ ref('int_country_list') }}
    where starts_with(country_list, 'who_safeguards_')
),

list_period as (
    select distinct
        edition,
        valid_from,
        valid_to
    from listed
),

-- The list that stood on the last day of the year; before the first one no country is listed or unlisted.
dated as (
    select
        origin.*,
        cast(list_period.edition as integer) as safeguards_edition,
        listed.country_iso3 is not null as is_listed
    from origin
    left join list_period
        on
            make_date(origin.year, 12, 31) >= list_period.valid_from
            and make_date(origin.year, 12, 31) < list_period.valid_to
    left join listed
        on list_period.edition = listed.edition and origin.origin_iso3 = listed.country_iso3
)

select
    destination_iso3,
    occupation_code,
    year,
    source,
    edition,
    'training' as basis,
    safeguards_edition,
    bool_or(is_in_sums) as is_in_sums,
    count(*) as origins,
    sum(value) as origins_total,
    case
        when safeguards_edition is not null then coalesce(sum(value) filter (where is_listed), 0)
    end as from_listed,
    bool_or(is_synthetic) as is_synthetic,
    {{ union_fetch_ids() }} as fetch_ids
from dated
group by destination_iso3, occupation_code, year, source, edition, safeguards_edition
