with vacancy as (
    {{ versions('vacancies', 'vacancy') }}
)

select
    country as country_iso3,
    occupation as occupation_code,
    cast(month || '-01' as date) as month,
    posts,
    is_synthetic,
    fetch_id
from vacancy
