with input as (
    select * from {{ ref('int_safeguards_input') }}
),

observation as (
    select * from {{ ref('int_gho_observation') }}
),

member_state as (
    select * from {{ ref('who_member_state') }}
),

criteria as (
    select * from {{ ref('safeguards_criteria') }}
),

-- One row per edition and Member State, whether or not there are data.
member_state_of_edition as (
    select
        criteria.edition,
        member_state.country_iso3,
        member_state.who_region
    from criteria
    inner join member_state
        on
            criteria.listed_by >= member_state.valid_from
            and criteria.listed_by < member_state.valid_to
),

-- An index of another definition than the threshold's is refused; which one it is, the explanation says.
refused as (
    select
        criteria.edition,
        observation.country_iso3,
        max(observation.uhc_index_edition) as refused_uhc_index_edition
    from criteria
    inner join observation
        on
            observation.measure = 'uhc_index'
            and criteria.last_uhc_index_year >= observation.year
            and criteria.uhc_index_edition <> observation.uhc_index_edition
    group by criteria.edition, observation.country_iso3
),

measured as (
    select
        edition,
        country_iso3,
        max(value) filter (where input = 'doctors') as doctors_density,
        max(year) filter (where input = 'doctors') as doctors_year,
        max(value) filter (where input = 'nurses_midwives') as nurses_midwives_density,
        max(year) filter (where input = 'nurses_midwives') as nurses_midwives_year,
        max(value) filter (where input = 'uhc_index') as uhc_index,
        max(year) filter (where input = 'uhc_index') as uhc_index_year,
        max(uhc_index_edition) filter (where input = 'uhc_index') as uhc_index_edition,
        max(refreshed_on) as inputs_refreshed_on,
        bool_or(is_modelled) as is_modelled,
        bool_or(is_synthetic) as is_synthetic,
        {{ fetch_ids() }} as fetch_ids
    from input
    group by edition, country_iso3
)

select
    member_state_of_edition.edition,
    member_state_of_edition.country_iso3,
    member_state_of_edition.who_region,
    measured.doctors_density,
    measured.doctors_year,
    measured.nurses_midwives_density,
    measured.nurses_midwives_year,
    measured.doctors_density + measured.nurses_midwives_density as density,
    measured.uhc_index,
    measured.uhc_index_year,
    measured.uhc_index_edition,
    case when measured.uhc_index is null then refused.refused_uhc_index_edition end
        as refused_uhc_index_edition,
    measured.inputs_refreshed_on,
    measured.is_modelled,
    coalesce(measured.is_synthetic, false) as is_synthetic,
    coalesce(measured.fetch_ids, '{}') as fetch_ids
from member_state_of_edition
left join measured
    on
        member_state_of_edition.edition = measured.edition
        and member_state_of_edition.country_iso3 = measured.country_iso3
left join refused
    on
        member_state_of_edition.edition = refused.edition
        and member_state_of_edition.country_iso3 = refused.country_iso3
