with code_version as (
    select * from {{ ref('code_version') }}
)

select
    code_version,
    title,
    document,
    adopted_on,
    articles,
    status,
    note,
    evidence,
    {{ reference_provenance() }}
from code_version
