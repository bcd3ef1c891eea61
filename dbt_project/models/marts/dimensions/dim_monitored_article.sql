with article as (
    select * from {{ ref('dim_code_article') }}
    where parent_article is null
),

indicator as (
    select * from {{ ref('indicator') }}
),

measured as (
    select
        split_part(code_article, '.', 1) as adopted_article,
        array_agg(indicator order by indicator) as indicators
    from indicator
    group by split_part(code_article, '.', 1)
)

select
    article.code_version,
    article.code_article,
    article.title,
    article.adopted_article,
    article.change_on_adoption,
    coalesce(measured.indicators, '{}') as indicators,
    coalesce(cardinality(measured.indicators), 0) as indicator_count,
    article.status,
    {{ reference_provenance() }}
from article
left join measured on article.adopted_article = measured.adopted_article
