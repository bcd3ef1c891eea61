-- Which articles of the Code do reports answer least completely?
-- Code article 9.1 and the quality of the data.
-- Mean over the submitted reports of a round of the share of the questions on the article that were shown
-- and answered, tick boxes apart. lowest tells the least complete report. Where the survey server does not
-- tell what was shown from what was left alone (LimeSurvey 6.4.2 does not) a question that was ruled out
-- counts as not answered, such as support to integrate foreign-trained personnel where a country hosts none.
-- Rounds ask different questions. Synthetic reports in the shipped figures.
select
    reporting.round_year,
    answered.article,
    count(answered.share) as reports,
    round(avg(answered.share), 3) as mean_answered_share,
    min(answered.share) as lowest,
    count(*) filter (where answered.share < 0.5) as below_half,
    bool_or(reporting.is_synthetic) as is_synthetic
from marts.reporting
cross join
    lateral (
        values
        (3, reporting.answered_share_article_3),
        (4, reporting.answered_share_article_4),
        (5, reporting.answered_share_article_5),
        (6, reporting.answered_share_article_6),
        (7, reporting.answered_share_article_7),
        (8, reporting.answered_share_article_8),
        (9, reporting.answered_share_article_9),
        (10, reporting.answered_share_article_10)
    ) as answered (article, share)
where reporting.report_status = 'submitted'
group by reporting.round_year, answered.article
having count(answered.share) > 0
order by reporting.round_year desc, mean_answered_share asc, answered.article asc;
