with action as (
    select * from {{ ref('int_nri__action') }}
    where subject = 'domestic_sustain'
)

{{ reported_actions('measure_taken') }}
