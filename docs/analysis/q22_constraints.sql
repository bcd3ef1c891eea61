-- What are the top constraints, and how do they differ for source and destination countries?
-- Code article 9.1 (difficulties encountered).
-- Per round and constraint: countries that rank it among their three, and its points (3 for a first place, 2
-- for a second, 1 for a third) as a share of all points of the group. Destination countries are those that
-- say that they host migrant health personnel, source countries all others that rank: the report asks for no
-- other distinction. Denominators: countries of the group that rank anything. Self-assessment, chosen from a
-- list. The words beside it are withheld. Synthetic reports in the shipped figures.
with ranked as (
    select
        round_year,
        country_iso3,
        constraint_code,
        is_host,
        4 - rank as points,
        is_synthetic
    from marts.constraints
    where constraint_code is not null
),

whole as (
    select
        round_year,
        count(distinct country_iso3) filter (where is_host) as destinations,
        count(distinct country_iso3) filter (where not is_host) as sources,
        sum(points) filter (where is_host) as destination_points,
        sum(points) filter (where not is_host) as source_points
    from ranked
    group by round_year
)

select
    ranked.round_year,
    cast(rank() over (partition by ranked.round_year order by sum(ranked.points) desc) as integer) as place,
    ranked.constraint_code,
    sum(ranked.points) as points,
    count(*) filter (where ranked.is_host) as named_by_destinations,
    whole.destinations,
    round(
        1.0 * coalesce(sum(ranked.points) filter (where ranked.is_host), 0) / whole.destination_points, 3
    ) as share_of_points_destinations,
    count(*) filter (where not ranked.is_host) as named_by_sources,
    whole.sources,
    round(
        1.0 * coalesce(sum(ranked.points) filter (where not ranked.is_host), 0) / whole.source_points, 3
    ) as share_of_points_sources,
    bool_or(ranked.is_synthetic) as is_synthetic
from ranked
inner join whole using (round_year)
group by
    ranked.round_year,
    ranked.constraint_code,
    whole.destinations,
    whole.sources,
    whole.destination_points,
    whole.source_points
order by ranked.round_year desc, points desc, ranked.constraint_code asc;
