{{ config(tags=['seed']) }}

-- Lists whose members in the seed are another number of countries than their owner states.
with country_list as (
    select * from {{ ref('country_list') }}
),

member as (
    select * from {{ ref('country_list_member') }}
)

select
    country_list.country_list,
    country_list.published_countries,
    count(member.country_iso3) as listed_countries
from country_list
left join member on country_list.country_list = member.country_list
where country_list.published_countries is not null
group by country_list.country_list, country_list.published_countries
having count(member.country_iso3) != country_list.published_countries
