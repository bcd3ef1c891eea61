with observation as (
    {{ versions('who_gho', 'observation') }}
)

select
    indicator_code,
    spatial_dim_type as place_type,
    spatial_dim as place_code,
    time_dim_type as period_type,
    cast(time_dim as integer) as year,
    coalesce(dim1, dim2, dim3) is not null as is_broken_down,
    concat_ws(' ', dim1, dim2, dim3, data_source_dim) as breakdown,
    numeric_value as value,
    low as lower_bound,
    high as upper_bound,
    comments as publisher_comment,
    case when date ~ '^\d{4}-\d{2}-\d{2}' then cast(left(date, 10) as date) end as refreshed_on,
    is_synthetic,
    fetch_id
from observation
