{{ config(materialized='view') }}

with published_figure as (
    select * from {{ ref('published_figure') }}
    where rebuild_rule in ('safeguards_countries', 'safeguards_added', 'safeguards_median')
),

comparison as (
    select * from {{ ref('int_safeguards_comparison') }}
)

select
    published_figure.figure,
    trim_scale(
        round(
            case published_figure.rebuild_rule
                when 'safeguards_countries' then count(*) filter (where comparison.is_computed)
                when 'safeguards_added'
                    then
                        count(*) filter (
                            where comparison.is_computed and not coalesce(earlier.is_computed, false)
                        )
                else cast(max(comparison.density_median) as numeric)
            end,
            4
        )
    ) as rebuilt_value,
    count(comparison.is_computed) as countries,
    bool_or(comparison.is_synthetic or coalesce(earlier.is_synthetic, false)) as is_synthetic,
    bool_or(comparison.is_modelled) as is_modelled,
    {{ union_fetch_ids("nullif(comparison.fetch_ids || coalesce(earlier.fetch_ids, '{}'), '{}')") }}
        as fetch_ids
from published_figure
inner join comparison
    on
        published_figure.year = comparison.edition
        and coalesce(published_figure.who_region, comparison.who_region) = comparison.who_region
left join comparison as earlier
    on
        published_figure.from_year = earlier.edition
        and comparison.country_iso3 = earlier.country_iso3
group by published_figure.figure, published_figure.rebuild_rule
