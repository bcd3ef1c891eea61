with answer as (
    select * from {{ ref('int_nri__answer') }}
    where canonical_item = 'pathways'
),

most_used as (
    select
        country_iso3,
        round_year,
        value_code as pathway
    from answer
    where canonical_part = 'most_used'
)

select
    answer.country_iso3,
    answer.round_year,
    split_part(answer.canonical_part, '_scale_', 1) as pathway,
    bool_or(answer.value_code = 'in_used') filter (where answer.canonical_part like '%_scale_1')
        as is_used_in,
    bool_or(answer.value_code = 'out_used') filter (where answer.canonical_part like '%_scale_2')
        as is_used_out,
    bool_or(split_part(answer.canonical_part, '_scale_', 1) = most_used.pathway) as is_most_used_in,
    min(answer.survey_id) as survey_id,
    min(answer.survey_response_id) as survey_response_id,
    bool_or(answer.is_synthetic) as is_synthetic,
    false as is_modelled,
    {{ fetch_ids('answer.fetch_id') }} as fetch_ids
from answer
inner join most_used
    on
        answer.country_iso3 = most_used.country_iso3
        and answer.round_year = most_used.round_year
where answer.canonical_part <> 'most_used'
group by answer.country_iso3, answer.round_year, split_part(answer.canonical_part, '_scale_', 1)
