with income as (
    select * from {{ ref('int_mobility_income') }}
),

covered as (
    select
        *,
        persons_classified / nullif(persons_of_year, 0) as classified_coverage
    from income
)

select
    measure,
    occupation_code,
    year,
    figures,
    origin_income_group,
    destination_income_group,
    direction,
    cast(persons as numeric(14, 2)) as persons,
    cast(corridors as integer) as corridors,
    cast(origins as integer) as origins,
    cast(destinations as integer) as destinations,
    cast(persons_classified as numeric(14, 2)) as persons_classified,
    cast(persons_of_year as numeric(14, 2)) as persons_of_year,
    cast(classified_coverage as numeric(9, 6)) as classified_coverage,
    cast({{ mobility_minimum_coverage() }} as numeric(5, 4)) as minimum_coverage,
    case
        when direction <> 'unknown' and classified_coverage >= {{ mobility_minimum_coverage() }}
            then cast(persons / nullif(persons_classified, 0) as numeric(9, 6))
    end as classified_share,
    case
        when direction = 'unknown' then 'income group of an end not known'
        when persons_classified = 0 then 'denominator is zero'
        when classified_coverage < {{ mobility_minimum_coverage() }} then 'coverage below minimum'
    end as classified_share_missing_because,
    is_synthetic,
    false as is_modelled,
    fetch_ids
from covered
