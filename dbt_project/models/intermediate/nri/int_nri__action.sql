with answer as (
    select * from {{ ref('int_nri__answer') }}
),

ruled_out as (
    select * from {{ ref('int_nri__ruled_out') }}
),

said as (
    select
        answer.country_iso3,
        answer.round_year,
        answer.survey_id,
        answer.survey_response_id,
        answer.fetch_id,
        answer.is_synthetic,
        answer.code_article,
        case answer.canonical_item
            when 'moh_coord' then 'impl_steps'
            else answer.canonical_item
        end as subject,
        case answer.canonical_item
            when 'moh_coord' then 'coordinate'
            else answer.canonical_part
        end as action,
        case
            when ruled_out.canonical_item = 'legal_safeguards' then 'not_host'
            when ruled_out.canonical_item is not null and answer.value_kind = 'tick' then 'no'
            else coalesce(answer.value_code, 'no_answer')
        end as status
    from answer
    left join ruled_out
        on
            answer.country_iso3 = ruled_out.country_iso3
            and answer.round_year = ruled_out.round_year
            and answer.canonical_item = ruled_out.canonical_item
    where
        (
            answer.canonical_item in (
                'legal_safeguards',
                'emigrant_measures',
                'domestic_sustain',
                'support_given',
                'support_received'
            )
            and answer.value_kind = 'tick'
        )
        or (answer.canonical_item = 'impl_steps' and answer.value_kind in ('tick', 'choice'))
        or (answer.canonical_item = 'moh_coord' and answer.value_kind = 'choice')

    union all

    -- No question asks for paragraph 8.7; who tells countries of training can assess recruitment from them.
    select
        country_iso3,
        round_year,
        survey_id,
        survey_response_id,
        min(fetch_id) as fetch_id,
        bool_or(is_synthetic) as is_synthetic,
        '8.7' as code_article,
        'impl_steps' as subject,
        'assess_recruitment' as action,
        case
            when bool_or(value_number is not null) then 'yes'
            when bool_or(value_state <> 'not_shown') then 'no'
            else 'no_answer'
        end as status
    from answer
    where
        canonical_item = 'stock_country'
        and canonical_part = 'stock'
    group by country_iso3, round_year, survey_id, survey_response_id
),

followed as (
    select
        *,
        lag(round_year) over earlier as previous_round_year,
        lag(status) over earlier as previous_status,
        lag(fetch_id) over earlier as previous_fetch_id,
        coalesce(lag(is_synthetic) over earlier, false) as was_synthetic
    from said
    window earlier as (partition by country_iso3, subject, action order by round_year)
)

select
    country_iso3,
    round_year,
    survey_id,
    survey_response_id,
    subject,
    action,
    code_article,
    status,
    previous_round_year,
    previous_status,
    {{ merge_fetch_ids(['array[fetch_id, previous_fetch_id]']) }} as fetch_ids,
    is_synthetic or was_synthetic as is_synthetic
from followed
