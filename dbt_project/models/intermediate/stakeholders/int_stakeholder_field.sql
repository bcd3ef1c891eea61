with answer as (
    select * from {{ ref('int_stakeholder_answer') }}
),

country_name as (
    select * from {{ ref('int_nri__country_name') }}
),

stakeholder as (
    select
        survey_id,
        survey_response_id,
        max(value_code) filter (where part = 'stakeholder_type') as stakeholder_type,
        max(value_code) filter (where part = 'level') as stakeholder_level
    from answer
    where field is null
    group by survey_id, survey_response_id
),

contributed as (
    select
        survey_id,
        survey_response_id,
        round_year,
        field,
        submitted_at,
        edited_at,
        fetch_id,
        is_synthetic,
        max(value_code) filter (where part = 'practice') as practice,
        max(value_code) filter (where part = 'documented') as documented,
        count(*) filter (where part = 'country') as countries_named
    from answer
    where field is not null
    group by
        survey_id, survey_response_id, round_year, field, submitted_at, edited_at, fetch_id, is_synthetic
    having coalesce(max(value_code) filter (where part = 'applies'), 'yes') <> 'no'
),

mentioned as (
    select
        survey_id,
        survey_response_id,
        field,
        mention,
        max(value_text) filter (where part = 'country') as country_text,
        max(value_number) filter (where part = 'year') as mentioned_year
    from answer
    where mention is not null
    group by survey_id, survey_response_id, field, mention
),

-- A field on which no country is named stands as it is, with the mention 0.
placed as (
    select
        survey_id,
        survey_response_id,
        field,
        mention,
        country_text,
        mentioned_year
    from mentioned
    where country_text is not null

    union all

    select
        survey_id,
        survey_response_id,
        field,
        0 as mention,
        cast(null as text) as country_text,
        cast(null as numeric) as mentioned_year
    from contributed
    where countries_named = 0
)

select
    contributed.survey_id,
    contributed.survey_response_id,
    contributed.round_year,
    contributed.field,
    placed.mention,
    country_name.country_iso3,
    case
        when placed.country_text is null then 'none named'
        when country_name.country_iso3 is null then 'not a country'
        else 'resolved'
    end as country_state,
    cast(placed.mentioned_year as integer) as mentioned_year,
    stakeholder.stakeholder_type,
    stakeholder.stakeholder_level,
    contributed.practice,
    case contributed.documented when 'yes' then true when 'no' then false end as is_documented,
    contributed.submitted_at,
    contributed.edited_at,
    contributed.fetch_id,
    contributed.is_synthetic
from contributed
inner join placed
    on
        contributed.survey_id = placed.survey_id
        and contributed.survey_response_id = placed.survey_response_id
        and contributed.field = placed.field
left join stakeholder
    on
        contributed.survey_id = stakeholder.survey_id
        and contributed.survey_response_id = stakeholder.survey_response_id
left join country_name
    on {{ normalised_name('placed.country_text') }} = country_name.normalised_name
