-- How many distinct agreements are active, by occupation, corridor and signatory ministry?
-- Code article 5.2.
-- Active is an agreement that began by the year in which the latest round closed and has no last year before
-- it; put another year into the first lines to ask of today. An agreement without a last year counts as
-- active (no_last_year says how many): nobody reported its end. One without a first year is left out. An
-- agreement of several occupations, parties or ministries counts under each, so that only the first row is a
-- total. A corridor is a pair of parties, without direction: the instrument does not ask who sends.
-- Occupations are ISCO-08 codes. unmatched are agreements whose partner could not be identified, which cannot
-- be told apart. In the shipped figures all are synthetic.
with asked as (
    select cast(extract(year from max(closed_on)) as integer) as year
    from marts.dim_round
),

active as (
    select agreements.*
    from marts.agreements
    cross join asked
    where
        agreements.valid_from_year <= asked.year
        and coalesce(agreements.valid_to_year >= asked.year, true)
),

grouped as (
    select
        agreement_key,
        1 as place,
        'all' as grouped_by,
        'all' as value
    from active
    union all
    select
        active.agreement_key,
        2 as place,
        'occupation' as grouped_by,
        occupation.code as value
    from active
    cross join unnest(active.occupation_codes) as occupation (code)
    union all
    select
        active.agreement_key,
        3 as place,
        'corridor' as grouped_by,
        concat(one.iso3, '-', other.iso3) as value
    from active
    cross join unnest(active.parties) as one (iso3)
    cross join unnest(active.parties) as other (iso3)
    where one.iso3 < other.iso3
    union all
    select
        active.agreement_key,
        4 as place,
        'ministry' as grouped_by,
        ministry.code as value
    from active
    cross join unnest(active.ministries) as ministry (code)
)

select
    asked.year as active_in,
    grouped.grouped_by,
    grouped.value,
    count(*) as agreements,
    count(*) filter (where active.valid_to_year is null) as no_last_year,
    count(*) filter (where active.is_confirmed_by_other_party) as reported_by_several,
    count(*) filter (where not active.is_matchable) as unmatched,
    bool_or(active.is_synthetic) as is_synthetic
from grouped
inner join active on grouped.agreement_key = active.agreement_key
cross join asked
group by asked.year, grouped.place, grouped.grouped_by, grouped.value
order by grouped.place asc, agreements desc, grouped.value asc;
