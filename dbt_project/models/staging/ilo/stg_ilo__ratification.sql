with ratification as (
    {{ versions('ilo', 'ratification') }}
),

country as (
    select * from {{ ref('country') }}
),

country_alias as (
    select * from {{ ref('country_alias') }}
),

spelling as (
    select
        country_iso3,
        name as spelt
    from country
    union all
    select
        country_iso3,
        alias as spelt
    from country_alias
)

select
    ratification.instrument,
    ratification.country as page_country,
    spelling.country_iso3,
    ratification.ratified as ratified_text,
    ratification.ratified_on,
    ratification.status,
    ratification.note,
    ratification.fetch_id,
    ratification.is_synthetic
from ratification
left join spelling on ratification.country = spelling.spelt
