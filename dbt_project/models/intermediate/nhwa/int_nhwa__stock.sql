with value as (
    select * from {{ ref('int_nhwa__value') }}
    where subject = 'stock' and occupation_code is not null and value_number is not null
),

reported as (
    select
        country_iso3,
        occupation_code,
        year,
        {% for measure in nhwa_stock_measures() %}
            max(value_number) filter (where measure = '{{ measure }}' and split is null)
                as {{ 'total_reported' if measure == 'total' else measure }},
        {% endfor %}
        max(value_number) filter (where measure = 'by_sex' and lower(split) = 'female') as female,
        max(value_number) filter (where measure = 'by_sex' and lower(split) = 'male') as male,
        bool_or(is_synthetic) as is_synthetic,
        {{ union_fetch_ids() }} as fetch_ids
    from value
    group by country_iso3, occupation_code, year
),

-- The rule by which WHO repairs a missing total: the first of practising, professionally active and
-- licensed that is not zero; an empty one counts as zero. A reported total of zero is not missing.
repaired as (
    select
        *,
        case
            when total_reported is not null then 'reported'
            when practising > 0 then 'practising'
            when professionally_active > 0 then 'professionally_active'
            when licensed > 0 then 'licensed'
        end as total_basis
    from reported
)

select
    country_iso3,
    occupation_code,
    year,
    case total_basis
        when 'reported' then total_reported
        when 'practising' then practising
        when 'professionally_active' then professionally_active
        when 'licensed' then licensed
    end as total,
    total_basis,
    total_basis is not null and total_basis <> 'reported' as is_total_repaired,
    {% for measure in nhwa_stock_measures() if measure != 'total' %}
        {{ measure }},
    {% endfor %}
    female,
    male,
    domestic_trained + foreign_trained as known_training,
    domestic_trained + foreign_trained + coalesce(unknown_training, 0)
    - total_reported as training_difference,
    is_synthetic,
    fetch_ids
from repaired
