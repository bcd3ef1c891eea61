with indicator as (
    select * from {{ ref('indicator') }}
),

population as (
    select * from {{ ref('int_nri__population') }}
),

item as (
    select * from {{ ref('int_nri__indicator_item') }}
),

stock as (
    select * from {{ ref('int_nri__indicator_stock') }}
),

measured as (
    select * from item

    union all

    select * from stock
),

-- A component concerns the countries of its own population: who hosts nobody neither keeps nor breaks a
-- principle on migrant personnel.
counted as (
    select
        measured.country_iso3,
        measured.round_year,
        composite.indicator,
        composite.rule,
        count(*) filter (where measured.is_answered) as answered,
        count(*) filter (where measured.is_answered and measured.numerator > 0) as present
    from indicator as composite
    cross join lateral string_to_table(composite.components, '+') as part (component)
    inner join indicator as component on part.component = component.indicator
    inner join measured on component.indicator = measured.indicator
    inner join population
        on
            measured.country_iso3 = population.country_iso3
            and measured.round_year = population.round_year
            and component.population = population.population
    group by measured.country_iso3, measured.round_year, composite.indicator, composite.rule
)

select
    country_iso3,
    round_year,
    indicator,
    answered > 0 as is_answered,
    case rule when 'composite_any' then cast(present > 0 as integer) else present end as numerator,
    case rule when 'composite_any' then 1 else answered end as denominator
from counted
