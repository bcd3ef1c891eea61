with register as (
    select * from {{ ref('int_nri__authority_register') }}
)

select
    register.country_iso3,
    register.round_year,
    case register.is_designated
        when true then 'designated'
        when false then 'not_designated'
        else 'not_told'
    end as designation,
    register.is_changed,
    register.is_on_register,
    register.first_named_round_year,
    register.last_named_round_year,
    register.report_status,
    register.last_report_round_year,
    cast(register.reports_in_last_two_rounds as integer) as reports_in_last_two_rounds,
    register.survey_id,
    register.survey_response_id,
    bool_or(earlier.is_synthetic) as is_synthetic,
    false as is_modelled,
    {{ union_fetch_ids('earlier.fetch_ids') }} as fetch_ids
from register
inner join register as earlier
    on
        register.country_iso3 = earlier.country_iso3
        and register.round_year >= earlier.round_year
group by
    register.country_iso3,
    register.round_year,
    register.is_designated,
    register.is_changed,
    register.is_on_register,
    register.first_named_round_year,
    register.last_named_round_year,
    register.report_status,
    register.last_report_round_year,
    register.reports_in_last_two_rounds,
    register.survey_id,
    register.survey_response_id
