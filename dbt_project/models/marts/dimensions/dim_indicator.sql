with indicator as (
    select * from {{ ref('indicator') }}
)

select
    indicator,
    code_article,
    '2010' as code_version,
    split_part(code_article, '.', 1) as article,
    title,
    numerator,
    denominator,
    population,
    answered_when,
    aggregation,
    unit,
    string_to_array(components, '+') as components,
    first_round,
    minimum_coverage,
    origin,
    status,
    {{ reference_provenance() }}
from indicator
