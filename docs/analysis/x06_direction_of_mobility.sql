-- In which direction do doctors and nurses move, from South to North, from South to South?
-- Code articles 5.1 and 6.2.
-- Foreign-trained in practice by direction, North being high income on 31 December of the year (World Bank),
-- South the other three groups. share: of the persons whose two groups are both known, refused where those
-- are less than half of all. Sums hold the destinations with figures by country of training in that year,
-- mostly members of the OECD: moves to the South are undercounted, and years with other destinations are not
-- comparable. Real figures where a year has any, else synthetic ones. In the shipped figures only the
-- doctors of 2018 are real.
with moment as (
    select
        occupation_code,
        year,
        max(figures) as figures
    from marts.mobility_by_income
    where measure = 'stock'
    group by occupation_code, year
)

select
    moved.occupation_code,
    moved.year,
    moved.direction,
    cast(sum(moved.persons) as integer) as persons,
    cast(sum(moved.corridors) as integer) as corridors,
    round(
        sum(moved.persons) filter (where moved.classified_share is not null) / max(moved.persons_classified),
        3
    ) as share,
    round(max(moved.classified_coverage), 3) as classified_coverage,
    min(moved.classified_share_missing_because) as share_missing_because,
    moved.is_synthetic
from marts.mobility_by_income as moved
inner join moment
    on
        moved.occupation_code = moment.occupation_code
        and moved.year = moment.year
        and moved.figures = moment.figures
where moved.measure = 'stock'
group by moved.occupation_code, moved.year, moved.direction, moved.is_synthetic
order by moved.is_synthetic asc, moved.occupation_code asc, moved.year desc, moved.direction asc;
