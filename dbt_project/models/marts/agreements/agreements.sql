with agreement as (
    select * from {{ ref('int_nri__agreement') }}
),

agreement_party as (
    select * from {{ ref('int_nri__agreement_party') }}
),

counterpart as (
    select
        agreement_key,
        bool_or(cardinality(silent_round_years) > 0) filter (where not is_reporter) as is_any_silent,
        bool_or(safeguards_status = 'listed') as has_safeguards_party,
        {{ union_fetch_ids() }} as fetch_ids,
        bool_or(is_synthetic) as is_synthetic
    from agreement_party
    group by agreement_key
)

select
    agreement.agreement_key,
    agreement.parties,
    agreement.agreement_type,
    cast(agreement.valid_from_year as integer) as valid_from_year,
    cast(agreement.valid_to_year as integer) as valid_to_year,
    agreement.occupation_codes,
    agreement.contents,
    agreement.ministries,
    agreement.has_care_workers,
    {%- for element in agreement_elements() %}
        agreement.has_{{ element }},
    {%- endfor %}
    counterpart.has_safeguards_party,
    agreement.is_matchable,
    agreement.is_confirmed_by_other_party,
    case
        when agreement.is_confirmed_by_other_party then 'several_parties'
        when not agreement.is_matchable then 'one_party_partner_unknown'
        when counterpart.is_any_silent then 'one_party_other_reports_without'
        else 'one_party_other_did_not_report'
    end as notification,
    agreement.reported_by,
    agreement.round_years,
    cast(agreement.reports as integer) as reports,
    agreement.is_synthetic or counterpart.is_synthetic as is_synthetic,
    false as is_modelled,
    {{ merge_fetch_ids(['agreement.fetch_ids', 'counterpart.fetch_ids']) }} as fetch_ids
from agreement
inner join counterpart on agreement.agreement_key = counterpart.agreement_key
