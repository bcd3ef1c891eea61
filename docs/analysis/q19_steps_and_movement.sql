-- Which steps 8.1 to 8.6 were taken in each round, and which countries moved from "no" to "yes"?
-- Code article 8.
-- Per step and round: countries that answered, those that say yes, and the share of yes among those that
-- ANSWERED (not of those that reported, nor of 194). comparable: countries that answered the step in this
-- round and in the one before it, by the round's number; advanced are those of them that went from no to
-- yes, named, fell_back those that went from yes to no. The status of integration of the Code in law (8.2)
-- also knows "in process", which is neither. Self-assessment. Synthetic reports in the shipped figures.
with taken as (
    select
        step,
        code_article,
        round_year,
        count(*) filter (where status in ('yes', 'in_process', 'no', 'other')) as answered,
        count(*) filter (where status = 'yes') as said_yes,
        bool_or(is_synthetic) as is_synthetic
    from marts.implementation_steps
    where code_article between '8.1' and '8.6'
    group by step, code_article, round_year
),

moved as (
    select
        step,
        to_round_year as round_year,
        count(*) filter (where movement <> 'not_comparable') as comparable,
        count(*) filter (where from_status = 'no' and to_status = 'yes') as moved_to_yes,
        count(*) filter (where from_status = 'yes' and to_status = 'no') as moved_to_no,
        string_agg(country_iso3, ' ' order by country_iso3)
        filter (where from_status = 'no' and to_status = 'yes') as countries_to_yes
    from marts.implementation_movement
    where is_next_round
    group by step, to_round_year
)

select
    taken.code_article,
    taken.step,
    taken.round_year,
    taken.answered,
    taken.said_yes,
    round(1.0 * taken.said_yes / nullif(taken.answered, 0), 3) as yes_share,
    moved.comparable,
    moved.moved_to_yes,
    moved.moved_to_no,
    moved.countries_to_yes,
    taken.is_synthetic
from taken
left join moved on taken.step = moved.step and taken.round_year = moved.round_year
order by taken.code_article, taken.step, taken.round_year;
