with country_list as (
    select * from {{ ref('int_country_list') }}
)

select
    country_list,
    country_iso3,
    list_owner,
    title,
    edition,
    category,
    rule,
    valid_from,
    valid_to,
    published_countries,
    status,
    evidence,
    {{ reference_provenance() }}
from country_list
