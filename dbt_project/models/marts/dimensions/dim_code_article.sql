with code_article as (
    select * from {{ ref('code_article') }}
),

code_article_map as (
    select * from {{ ref('code_article_map') }}
    where to_version = '2010'
)

select
    code_article.code_version,
    code_article.code_article,
    code_article.parent_article,
    code_article.title,
    case
        when code_article.code_version = '2010' then code_article.code_article
        else code_article_map.to_article
    end as adopted_article,
    code_article_map.change as change_on_adoption,
    code_article.status,
    {{ reference_provenance() }}
from code_article
left join code_article_map
    on
        code_article.code_version = code_article_map.from_version
        and code_article.code_article = code_article_map.from_article
