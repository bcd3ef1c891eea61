with observation as (
    {{ versions('knomad', 'observation') }}
),

knomad_indicator as (
    select * from {{ ref('knomad_indicator') }}
)

-- Totals over all breakdowns only: a row of one sex or age beside them would be counted twice. What is
-- left out here is named by the raw gate.
select
    observation.indicator,
    observation.ref_area as area_iso3,
    case
        when observation.comp_breakdown_1 like 'WB\_KNOMAD\_%'
            then substring(observation.comp_breakdown_1 from length('WB_KNOMAD_') + 1)
    end as counterpart_iso3,
    cast(substring(observation.time_period from '^\d{4}$') as integer) as year,
    observation.obs_value * power(
        cast(10 as double precision),
        case
            when observation.unit_mult = knomad_indicator.contradicted_unit_mult
                then knomad_indicator.stated_unit_mult
            else coalesce(observation.unit_mult, knomad_indicator.stated_unit_mult)
        end
    ) as value,
    observation.obs_value as published_value,
    observation.unit_mult as published_unit_mult,
    observation.obs_status as observation_status,
    observation.is_synthetic,
    observation.fetch_id
from observation
left join knomad_indicator on observation.indicator = knomad_indicator.indicator
where
    observation.sex = '_T'
    and observation.age = '_T'
    and observation.urbanisation = '_T'
    and observation.comp_breakdown_2 = '_Z'
    and observation.comp_breakdown_3 = '_Z'
    and observation.freq = 'A'
