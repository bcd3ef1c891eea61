with country as (
    select * from {{ ref('country') }}
),

country_alias as (
    select * from {{ ref('country_alias') }}
),

nri_country_name as (
    select * from {{ ref('nri_country_name') }}
),

spelling as (
    select
        country_iso3,
        country_iso3 as spelt
    from country

    union all

    select
        country_iso3,
        name as spelt
    from country

    union all

    select
        country_iso3,
        alias as spelt
    from country_alias

    union all

    select
        country_iso3,
        name as spelt
    from nri_country_name
)

select distinct
    {{ normalised_name('spelt') }} as normalised_name,
    country_iso3
from spelling
