-- Which sources disagree about the same figure, and by how much?
-- Code article 6 and the quality of the data.
-- Pairs of sources over every country, occupation and year that both have: how many figures there are, the
-- share that differs by more than 5 percent of the source that ranks higher, and the median difference in
-- percent (above zero: the lower ranking source has more). A pair with a synthetic source tells nothing of
-- the world. Definitions differ, too: in practice, professionally active, licensed.
select
    compared_source,
    source,
    quantity,
    occupation_code,
    count(*) as figures,
    count(distinct country_iso3) as countries,
    count(*) filter (where is_beyond_tolerance) as beyond_5_percent,
    round(1.0 * count(*) filter (where is_beyond_tolerance) / count(*), 3) as share_beyond,
    round(
        cast(100 * percentile_cont(0.5) within group (order by relative_difference) as numeric), 1
    ) as median_difference_percent,
    bool_or(figure_is_synthetic or compared_is_synthetic) as is_synthetic
from marts.workforce_reconciliation
where occupation_code in ('221', '2221+3221')
group by compared_source, source, quantity, occupation_code
having count(*) >= 10
order by
    is_synthetic asc,
    share_beyond desc,
    figures desc,
    compared_source asc,
    source asc,
    quantity asc,
    occupation_code asc;
