with comparison as (
    select * from {{ ref('int_safeguards_comparison') }}
)

select
    edition,
    country_iso3,
    case
        when is_computed is null then 'not computable'
        when is_computed = is_published then 'agrees'
        when is_published then 'published only'
        else 'computed only'
    end as difference,
    nullif(
        concat_ws(
            '; ',
            case
                when is_computed is null and doctors_density is null
                    then 'no density of doctors up to ' || last_density_year
            end,
            case
                when is_computed is null and nurses_midwives_density is null
                    then 'no density of nurses and midwives up to ' || last_density_year
            end,
            case
                when is_computed is null and uhc_index is null
                    then
                        'no UHC index of the definition ' || criteria_uhc_index_edition
                        || ' up to ' || last_uhc_index_year
                        || coalesce(
                            ', the one at hand is of the definition ' || refused_uhc_index_edition
                            || ', which the threshold ' || round(uhc_index_threshold) || ' must not meet',
                            ''
                        )
            end,
            case
                when is_published and not is_density_below_median
                    then
                        'density ' || round(density::numeric, 1)
                        || ' is not below the median ' || round(density_median::numeric, 1)
            end,
            case
                when is_published and not is_uhc_index_below_threshold
                    then
                        'UHC index ' || round(uhc_index::numeric, 2)
                        || ' is not below ' || round(uhc_index_threshold)
            end,
            case
                when is_computed and not is_published
                    then
                        'density ' || round(density::numeric, 1)
                        || ' is below the median ' || round(density_median::numeric, 1)
                        || ' and UHC index ' || round(uhc_index::numeric, 2)
                        || ' is below ' || round(uhc_index_threshold)
            end,
            case
                when is_computed != is_published and is_computed_by_published_median = is_published
                    then 'with the published median ' || round(density_threshold, 1) || ' it agrees'
            end,
            case
                when is_computed != is_published and inputs_refreshed_on > listed_by
                    then 'inputs refreshed on ' || inputs_refreshed_on || ', after the list of ' || listed_by
            end
        ),
        ''
    ) as explanation
from comparison
