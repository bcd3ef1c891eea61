{{ config(materialized='view') }}

with published_figure as (
    select * from {{ ref('published_figure') }}
    where
        rebuild_rule in (
            'countries', 'countries_first', 'countries_always', 'countries_ever', 'share', 'sum', 'growth'
        )
),

indicator_value as (
    select * from {{ ref('int_nri__indicator_value') }}
),

country_round as (
    select * from {{ ref('int_nri__country_round') }}
),

by_country as (
    select
        published_figure.figure,
        published_figure.rebuild_rule,
        indicator_value.country_iso3,
        bool_or(indicator_value.numerator >= 1)
        filter (where indicator_value.round_year = published_figure.year) as has_now,
        bool_or(indicator_value.numerator >= 1)
        filter (where indicator_value.round_year < published_figure.year) as had_before,
        bool_or(indicator_value.numerator >= 1)
        filter (where indicator_value.round_year = published_figure.from_year) as had_at_first,
        bool_and(coalesce(indicator_value.numerator >= 1, false)) as had_always,
        bool_or(indicator_value.is_answered)
        filter (where indicator_value.round_year = published_figure.year) as is_answered,
        sum(indicator_value.numerator)
        filter (where indicator_value.round_year = published_figure.year) as numerator,
        bool_or(country_round.is_synthetic) as is_synthetic,
        {{ union_fetch_ids('country_round.fetch_ids') }} as fetch_ids
    from published_figure
    inner join indicator_value
        on
            published_figure.indicator = indicator_value.indicator
            and published_figure.year >= indicator_value.round_year
            and coalesce(published_figure.from_year, published_figure.year) <= indicator_value.round_year
    inner join country_round
        on
            indicator_value.country_iso3 = country_round.country_iso3
            and indicator_value.round_year = country_round.round_year
            and coalesce(published_figure.who_region, country_round.who_region) = country_round.who_region
    group by published_figure.figure, published_figure.rebuild_rule, indicator_value.country_iso3
)

select
    figure,
    trim_scale(
        round(
            case rebuild_rule
                when 'countries' then count(*) filter (where has_now)
                when 'countries_first'
                    then count(*) filter (where has_now and not coalesce(had_before, false))
                when 'countries_always' then count(*) filter (where had_always)
                when 'countries_ever' then count(*) filter (where has_now or had_before)
                when 'sum' then coalesce(sum(numerator), 0)
                when 'share'
                    then
                        100.0 * count(*) filter (where has_now)
                        / nullif(count(*) filter (where is_answered), 0)
                when 'growth'
                    then
                        100.0 * count(*) filter (where has_now)
                        / nullif(count(*) filter (where had_at_first), 0)
                        - 100
            end,
            4
        )
    ) as rebuilt_value,
    count(*) filter (where is_answered) as countries,
    bool_or(is_synthetic) as is_synthetic,
    false as is_modelled,
    {{ union_fetch_ids() }} as fetch_ids
from by_country
group by figure, rebuild_rule
