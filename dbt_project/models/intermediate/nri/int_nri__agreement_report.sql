with answer as (
    select * from {{ ref('int_nri__answer') }}
),

partner as (
    select * from {{ ref('int_nri__agreement_partner') }}
),

nri_question as (
    select * from {{ ref('int_nri__question') }}
),

block as (
    select
        country_iso3,
        round_year,
        survey_id,
        survey_response_id,
        cast(replace(measure, 'block_', '') as integer) as block_no,
        max(value_text) filter (where canonical_part = 'title') as title,
        max(value_code) filter (where canonical_part = 'type') as agreement_type,
        max(value_number) filter (where canonical_part = 'valid_from' and value_number between 0 and 9999)
            as valid_from_year,
        max(value_number) filter (where canonical_part = 'valid_to' and value_number between 0 and 9999)
            as valid_to_year,
        coalesce(
            array_agg(distinct coalesce(occupation_code, 'other') order by coalesce(occupation_code, 'other'))
            filter (where canonical_part = 'cadre' and value_code = 'yes'),
            '{}'
        ) as occupation_codes,
        bool_or(value_code = 'yes') filter (where canonical_part = 'cadre' and occupation_code = '532')
            as has_care_workers,
        coalesce(
            array_agg(distinct substr(canonical_part, 9) order by substr(canonical_part, 9))
            filter (where canonical_part like 'content_%' and value_code = 'yes'),
            '{}'
        ) as contents,
        max(value_text) filter (where canonical_part = 'ministry') as ministry,
        {%- for element in agreement_elements() %}
            bool_or(value_code = 'yes') filter (where canonical_part = '{{ element }}') as has_{{ element }},
        {%- endfor %}
        bool_or(value_state = 'answered') as is_filled,
        {{ fetch_ids() }} as fetch_ids,
        bool_or(is_synthetic) as is_synthetic
    from answer
    where
        canonical_item = 'agreements'
        and measure like 'block_%'
    group by country_iso3, round_year, survey_id, survey_response_id, measure
),

asked as (
    select
        country_iso3,
        round_year,
        value_code
    from answer
    where
        canonical_item = 'agreements'
        and canonical_part = 'any'
),

party as (
    select
        country_iso3,
        round_year,
        block_no,
        array_agg(distinct partner_iso3 order by partner_iso3) filter (where partner_iso3 is not null)
            as partners,
        bool_and(partner_iso3 is not null) as all_partners_known
    from partner
    group by country_iso3, round_year, block_no
),

cadre_rounds as (
    select count(distinct round_year) as rounds
    from nri_question
    where canonical_item = 'agreements' and canonical_part = 'cadre'
),

-- Occupations that some round does not offer cannot tell two agreements apart.
offered as (
    select array_agg(occupation_code) as always_offered
    from (
        select occupation_code
        from nri_question
        where canonical_item = 'agreements' and canonical_part = 'cadre'
        group by occupation_code
        having count(distinct round_year) = (select cadre_rounds.rounds from cadre_rounds)
    ) as occupation
),

with_parties as (
    select
        block.*,
        case when block.ministry <> '' then {{ ministry_codes('block.ministry') }} end as ministries,
        coalesce(party.partners, '{}') as partners,
        array(
            select matched.code from unnest(block.occupation_codes) as matched (code)
            where matched.code = any(offered.always_offered) or matched.code = 'other'
            order by matched.code
        ) as matched_occupations,
        coalesce(party.all_partners_known, false) as is_matchable,
        array(
            select distinct member.iso3
            from unnest(array_append(coalesce(party.partners, '{}'), block.country_iso3)) as member (iso3)
            order by member.iso3
        ) as parties
    from block
    cross join offered
    left join party
        on
            block.country_iso3 = party.country_iso3
            and block.round_year = party.round_year
            and block.block_no = party.block_no
    left join asked
        on
            block.country_iso3 = asked.country_iso3
            and block.round_year = asked.round_year
    where
        block.is_filled
        and coalesce(asked.value_code <> 'no', true)
)

select
    *,
    case
        when is_matchable
            then concat_ws(
                    '|',
                    array_to_string(parties, '-'),
                    coalesce(agreement_type, 'type?'),
                    coalesce(cast(cast(valid_from_year as integer) as text), 'year?'),
                    coalesce(
                        nullif(array_to_string(matched_occupations, ','), ''),
                        nullif(array_to_string(occupation_codes, ','), ''),
                        'cadres?'
                    )
                )
        else concat_ws('|', country_iso3, 'unmatched', round_year, block_no)
    end as agreement_key
from with_parties
