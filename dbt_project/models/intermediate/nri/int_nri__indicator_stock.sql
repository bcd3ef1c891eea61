with indicator as (
    select * from {{ ref('indicator') }}
    where rule = 'stock'
),

stock as (
    select
        *,
        coalesce(domestically_trained + foreign_trained, total - unknown_training) as known_training,
        coalesce(national_born + foreign_born, total - unknown_birth) as known_birth
    from {{ ref('int_nri__stock') }}
),

origin as (
    select * from {{ ref('int_nri__origin_safeguards') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

nri_question as (
    select * from {{ ref('int_nri__question') }}
),

measured as (
    select
        stock.country_iso3,
        stock.round_year,
        stock.occupation_code,
        share.answer,
        share.numerator,
        share.denominator
    from stock
    cross join
        lateral (
            values
            ('foreign_trained_known', stock.foreign_trained, stock.known_training),
            ('foreign_trained_total', stock.foreign_trained, stock.total),
            ('foreign_born_known', stock.foreign_born, stock.known_birth),
            ('foreign_born_total', stock.foreign_born, stock.total)
        ) as share (answer, numerator, denominator)

    union all

    select
        country_iso3,
        round_year,
        occupation_code,
        'safeguards_origin' as answer,
        from_listed as numerator,
        foreign_trained as denominator
    from origin
),

-- Of doctors, nurses, midwives, dentists and pharmacists, those that the round asks about.
asked as (
    select distinct
        round_year,
        occupation_code
    from nri_question
    where
        canonical_item = 'stock_origin'
        and measure = 'foreign_trained'
        and occupation_code in ('221', '2221', '2222', '2261', '2262')
),

availability as (
    select
        country_round.country_iso3,
        country_round.round_year,
        count(*) as occupations_asked,
        count(*) filter (
            where stock.foreign_trained is not null and stock.known_training is not null
        ) as occupations
    from country_round
    inner join asked on country_round.round_year = asked.round_year
    left join stock
        on
            country_round.country_iso3 = stock.country_iso3
            and country_round.round_year = stock.round_year
            and asked.occupation_code = stock.occupation_code
    where country_round.report_status = 'submitted'
    group by country_round.country_iso3, country_round.round_year
)

select
    measured.country_iso3,
    measured.round_year,
    indicator.indicator,
    coalesce(measured.numerator is not null and measured.denominator > 0, false) as is_answered,
    measured.numerator,
    measured.denominator
from measured
inner join indicator
    on
        measured.occupation_code = indicator.occupation_code
        and measured.answer = indicator.answer

union all

select
    country_iso3,
    round_year,
    'data_availability' as indicator,
    true as is_answered,
    occupations as numerator,
    occupations_asked as denominator
from availability
