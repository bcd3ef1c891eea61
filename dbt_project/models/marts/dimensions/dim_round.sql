with reporting_round as (
    select * from {{ ref('reporting_round') }}
)

select
    round_year,
    round_number,
    survey_id,
    previous_round_year,
    opens_on,
    deadline,
    closed_on,
    reported_in,
    assembly_year,
    published_authorities,
    published_reports,
    published_status,
    status,
    note,
    {{ reference_provenance() }}
from reporting_round
