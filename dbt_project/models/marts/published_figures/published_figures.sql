with published_figure as (
    select * from {{ ref('published_figure') }}
),

rebuilt as (
    select * from {{ ref('int_published_figure_monitoring') }}
    union all
    select * from {{ ref('int_published_figure_response') }}
    union all
    select * from {{ ref('int_published_figure_safeguards') }}
    union all
    select * from {{ ref('int_published_figure_workforce') }}
),

compared as (
    select
        published_figure.*,
        rebuilt.rebuilt_value,
        rebuilt.countries,
        case
            when published_figure.comparison = 'between' and rebuilt.rebuilt_value > published_figure.value
                then greatest(rebuilt.rebuilt_value - published_figure.upper_value, 0)
            else rebuilt.rebuilt_value - published_figure.value
        end as difference,
        coalesce(rebuilt.is_synthetic, false) as is_synthetic,
        coalesce(rebuilt.is_modelled, false) as is_modelled,
        coalesce(rebuilt.fetch_ids, '{}') as fetch_ids
    from published_figure
    left join rebuilt on published_figure.figure = rebuilt.figure
),

-- Whatever rests on a synthetic record neither confirms nor contradicts what was published.
judged as (
    select
        *,
        case
            when rebuilt_value is null then 'cannot be rebuilt'
            when is_synthetic then 'synthetic input'
            when comparison = 'more than' and difference > 0 then 'rebuilt'
            when comparison = 'less than' and difference < 0 then 'rebuilt'
            when
                comparison in ('equals', 'about', 'between')
                and abs(difference) <= tolerance
                then 'rebuilt'
            else 'differs'
        end as rebuild_status
    from compared
)

select
    figure,
    subject,
    statement,
    comparison,
    cast(value as numeric(14, 4)) as published_value,
    cast(upper_value as numeric(14, 4)) as published_upper_value,
    unit,
    cast(tolerance as numeric(9, 4)) as tolerance,
    publisher,
    document,
    status as evidence_status,
    evidence,
    rebuild_rule,
    cast(rebuilt_value as numeric(14, 4)) as rebuilt_value,
    cast(countries as integer) as countries,
    cast(difference as numeric(14, 4)) as difference,
    cast(difference / nullif(abs(value), 0) as numeric(14, 6)) as relative_difference,
    rebuild_status,
    case rebuild_status
        when 'cannot be rebuilt' then coalesce(cannot_because, 'no figure of the kind is loaded')
        when 'synthetic input' then concat_ws('. ', 'rests on synthetic records', note)
        when 'differs' then concat_ws('. ', 'beyond the tolerance', note)
        else concat_ws('. ', 'as published within the tolerance', note)
    end as reason,
    is_synthetic,
    is_modelled,
    fetch_ids
from judged
