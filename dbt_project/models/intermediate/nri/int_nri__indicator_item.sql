with answer as (
    select * from {{ ref('int_nri__answer') }}
),

indicator as (
    select * from {{ ref('indicator') }}
    where rule in ('any', 'all', 'count', 'answered')
),

ruled_out as (
    select * from {{ ref('int_nri__ruled_out') }}
),

part as (
    select
        answer.country_iso3,
        answer.round_year,
        answer.canonical_item,
        indicator.indicator,
        indicator.rule,
        indicator.value_kind,
        count(*) as parts,
        count(*) filter (where answer.value_state <> 'not_shown') as parts_shown,
        count(*) filter (where answer.value_state = 'answered') as parts_filled,
        count(answer.value_code) as parts_answered,
        count(*) filter (where answer.value_code = indicator.answer) as parts_matching
    from answer
    inner join indicator
        on
            answer.canonical_item = indicator.canonical_item
            and answer.value_kind = indicator.value_kind
            and coalesce(indicator.canonical_part, answer.canonical_part) = answer.canonical_part
    group by
        answer.country_iso3,
        answer.round_year,
        answer.canonical_item,
        indicator.indicator,
        indicator.rule,
        indicator.value_kind
),

judged as (
    select
        part.*,
        ruled_out.canonical_item is not null
        and (part.value_kind = 'tick' or part.rule = 'answered') as is_ruled_out
    from part
    left join ruled_out
        on
            part.country_iso3 = ruled_out.country_iso3
            and part.round_year = ruled_out.round_year
            and part.canonical_item = ruled_out.canonical_item
)

select
    country_iso3,
    round_year,
    indicator,
    is_ruled_out or parts_answered > 0 or (rule = 'answered' and parts_shown > 0) as is_answered,
    case
        when is_ruled_out then 0
        when rule = 'any' then cast(parts_matching > 0 as integer)
        when rule = 'all' then cast(parts_matching = parts as integer)
        when rule = 'count' then parts_matching
        when rule = 'answered' then cast(parts_filled > 0 as integer)
    end as numerator,
    1 as denominator
from judged
