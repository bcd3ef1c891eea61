with code_article as (
    select * from {{ ref('code_article') }}
),

code_article_map as (
    select * from {{ ref('code_article_map') }}
),

-- The adopted text stands in the middle: the draft leads to it, the amendment comes from it.
answers_to as (
    select
        from_version as code_version,
        from_article as code_article,
        to_article as adopted_article,
        change
    from code_article_map
    where to_version = '2010'

    union all

    select
        to_version as code_version,
        to_article as code_article,
        from_article as adopted_article,
        change
    from code_article_map
    where from_version = '2010'
)

select
    code_article.code_version,
    code_article.code_article,
    code_article.parent_article,
    code_article.title,
    case
        when code_article.code_version = '2010' then code_article.code_article
        else answers_to.adopted_article
    end as adopted_article,
    answers_to.change as change_on_adoption,
    code_article.status,
    code_article.evidence,
    {{ reference_provenance() }}
from code_article
left join answers_to
    on
        code_article.code_version = answers_to.code_version
        and code_article.code_article = answers_to.code_article
