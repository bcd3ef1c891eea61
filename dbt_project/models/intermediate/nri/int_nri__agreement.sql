with report as (
    select * from {{ ref('int_nri__agreement_report') }}
)

select
    agreement_key,
    parties,
    min(title) as title,
    min(agreement_type) as agreement_type,
    min(valid_from_year) as valid_from_year,
    max(valid_to_year) as valid_to_year,
    {{ union_texts('occupation_codes') }} as occupation_codes,
    {{ union_texts('contents') }} as contents,
    {{ union_texts('ministries') }} as ministries,
    bool_or(has_care_workers) as has_care_workers,
    {%- for element in agreement_elements() %}
        bool_or(has_{{ element }}) as has_{{ element }},
    {%- endfor %}
    bool_and(is_matchable) as is_matchable,
    array_agg(distinct country_iso3 order by country_iso3) as reported_by,
    array_agg(distinct round_year order by round_year) as round_years,
    count(*) as reports,
    count(distinct country_iso3) > 1 as is_confirmed_by_other_party,
    {{ union_fetch_ids() }} as fetch_ids,
    bool_or(is_synthetic) as is_synthetic
from report
group by agreement_key, parties
