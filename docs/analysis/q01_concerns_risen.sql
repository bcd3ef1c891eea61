-- In which countries has concern about reliance on foreign health personnel, loss of own personnel or
-- temporary migration risen since the round before?
-- Code article 3.6.
-- The instrument asks how each concern developed over the past three years, which is since the round before.
-- A row is an answer "increased" of the latest round; previous_answer is what the country's report before
-- said. A country that did not report, or did not answer, has no row: that is not "no concern". Temporary
-- migration is asked since 2021. In the shipped figures all answers are synthetic.
with concern as (
    select
        country_iso3,
        round_year,
        canonical_part as concern,
        value_code as answer,
        is_synthetic,
        lag(round_year) over earlier as previous_round_year,
        lag(value_code) over earlier as previous_answer
    from marts.answers
    where canonical_item = 'ctx_concern'
    window earlier as (partition by country_iso3, canonical_part order by round_year)
)

select
    concern.concern,
    concern.country_iso3,
    country.name,
    concern.round_year,
    concern.previous_round_year,
    concern.previous_answer,
    case
        when concern.previous_answer is null then 'no earlier answer'
        when concern.previous_answer = 'increased' then 'increased again'
        else 'newly increased'
    end as change,
    concern.is_synthetic
from concern
inner join marts.dim_country as country on concern.country_iso3 = country.country_iso3
where
    concern.answer = 'increased'
    and concern.round_year = (select max(latest.round_year) from concern as latest)
order by concern.concern, concern.country_iso3;
