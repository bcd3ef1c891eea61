{{ config(materialized='view') }}

with published_figure as (
    select * from {{ ref('published_figure') }}
),

share as (
    select * from {{ ref('int_mobility_share') }}
    where total_share is not null
),

mobility_source as (
    select * from {{ ref('mobility_source') }}
    where subject = 'stock'
),

observation as (
    select * from {{ ref('int_gho_observation') }}
    where measure = 'stock'
),

nhwa_indicator as (
    select * from {{ ref('nhwa_indicator') }}
    where handbook_edition = '2017'
),

-- Of a destination the year nearest within three, else the latest; synthetic shares only where none is real.
candidate as (
    select
        published_figure.figure,
        published_figure.rebuild_rule,
        share.destination_iso3,
        share.foreign_count,
        share.total,
        share.total_share,
        share.is_synthetic,
        share.fetch_ids,
        bool_and(share.is_synthetic) over (partition by published_figure.figure) as has_no_real_share,
        row_number() over (
            partition by published_figure.figure, share.destination_iso3, share.is_synthetic
            order by
                abs(share.year - published_figure.year) asc,
                share.year desc,
                mobility_source.source_rank asc,
                share.edition desc
        ) as place
    from published_figure
    inner join share
        on
            published_figure.occupation_code = share.occupation_code
            and coalesce(published_figure.country_iso3, share.destination_iso3) = share.destination_iso3
            and coalesce(published_figure.source, share.source) = share.source
            and coalesce(abs(share.year - published_figure.year), 0) <= 3
            and case published_figure.rebuild_rule when 'foreign_born_share' then 'birth' else 'training' end
            = share.basis
    inner join mobility_source on share.source = mobility_source.source
    where
        published_figure.rebuild_rule in (
            'foreign_trained_share',
            'foreign_born_share',
            'lowest_foreign_trained_share',
            'countries_with_share'
        )
),

of_share as (
    select
        figure,
        trim_scale(
            round(
                case rebuild_rule
                    when 'countries_with_share' then count(*)
                    when 'lowest_foreign_trained_share' then 100 * min(total_share)
                    else 100 * sum(foreign_count) / nullif(sum(total), 0)
                end,
                4
            )
        ) as rebuilt_value,
        count(*) as countries,
        bool_or(is_synthetic) as is_synthetic,
        false as is_modelled,
        {{ union_fetch_ids() }} as fetch_ids
    from candidate
    where place = 1 and is_synthetic = has_no_real_share
    group by figure, rebuild_rule
),

latest as (
    select distinct on (published_figure.figure, observation.country_iso3)
        published_figure.figure,
        published_figure.year as of_year,
        observation.country_iso3,
        observation.year,
        observation.value,
        observation.is_synthetic,
        observation.fetch_id
    from published_figure
    inner join observation
        on
            published_figure.occupation_code = observation.occupation_code
            and published_figure.year - 4 <= observation.year
            and published_figure.year >= observation.year
    where published_figure.rebuild_rule = 'stock_million'
    order by published_figure.figure asc, observation.country_iso3 asc, observation.year desc
),

-- Stocks that all end before the year say nothing of it.
of_stock as (
    select
        figure,
        trim_scale(round(sum(cast(value as numeric)) / 1000000, 4)) as rebuilt_value,
        count(*) as countries,
        bool_or(is_synthetic) as is_synthetic,
        false as is_modelled,
        {{ fetch_ids() }} as fetch_ids
    from latest
    group by figure, of_year
    having max(year) = of_year
),

of_accounts as (
    select
        published_figure.figure,
        cast(count(*) as numeric) as rebuilt_value,
        cast(null as bigint) as countries,
        {{ reference_provenance() }}
    from published_figure
    inner join nhwa_indicator
        on
            coalesce(published_figure.indicator, cast(nhwa_indicator.module as text))
            = cast(nhwa_indicator.module as text)
    where published_figure.rebuild_rule = 'accounts_indicators'
    group by published_figure.figure
)

select * from of_share
union all
select * from of_stock
union all
select * from of_accounts
