-- What is the reporting rate by WHO region and income group, and what population share is covered?
-- Code articles 9.1 and 7.2(c).
-- Denominator: all Member States of the group on the day the round closed, 194 in all. A country counts
-- once, however many responses it sent. population_share: people of the reporting countries over those of
-- all Member States of the group whose population is known (World Bank, latest estimate up to the round's
-- year, an estimate of a model). Regions and income groups are those of that day. Income groups are unknown
-- after the fiscal years on record, which end in June 2023. Synthetic reports in the shipped figures, for
-- some 40 countries a round: these are not the published rates.
select
    rate.round_year,
    rate.grouping_kind,
    rate.grouping_value,
    rate.member_states,
    rate.reported,
    round(rate.value, 3) as reporting_rate,
    round(population.value, 3) as population_share,
    population.refused_reason as population_refused_because,
    rate.is_provisional,
    rate.is_synthetic
from marts.monitoring_summary as rate
inner join marts.monitoring_summary as population
    on
        rate.round_year = population.round_year
        and rate.grouping_kind = population.grouping_kind
        and rate.grouping_value = population.grouping_value
        and population.indicator = 'population_share'
where rate.indicator = 'report_submitted' and rate.grouping_kind in ('global', 'who_region', 'income_group')
order by
    rate.round_year desc,
    case rate.grouping_kind when 'global' then 1 when 'who_region' then 2 else 3 end asc,
    rate.grouping_value asc;
