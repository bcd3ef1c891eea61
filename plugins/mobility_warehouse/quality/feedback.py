"""The feedback note of a country: what it reported, what is missing, what disagrees, whom to ask.

Made as the role analyst from published marts and ``quality`` alone, where no name, contact or free text is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

import jinja2
from sqlalchemy import Connection, Engine, text

_TEMPLATES = files("mobility_warehouse.quality") / "templates"
_AUTHORITY = "Designated national authority of the country for the Code"
_ACCOUNTS = "National Health Workforce Accounts focal point of the country"
#: Whom a finding on a mart concerns, by the start of the mart's name; the designated authority otherwise.
_OFFICES = (("workforce_", _ACCOUNTS), ("remittance", "World Bank, compilers of the remittances series"))
_CONTACT = re.compile(
    r"[a-z0-9._%+-]+@[a-z0-9-]+\.[a-z]|[?&](?:pass|token)=|\+\d[\d ()/-]{7,}\d", re.IGNORECASE
)

Row = Mapping[str, Any]


class FeedbackError(LookupError):
    """No such Member State in the last publication, or the note would show a contact."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One country's note. Every row of its lists says by ``is_synthetic`` whether it rests on invented ones.

    ``scorecard`` is the country's row of ``quality.country_scorecard``, ``rounds`` what was reported in each;
    ``unanswered`` counts empty fields of the latest report by paragraph and item, ``lacking`` are indicators
    without the country's value in that round; ``cases`` are open for review, ``unconfirmed`` what another
    party that reported leaves out, ``warnings`` what rules found, with up to three rows each.
    """

    country_iso3: str
    name: str
    who_region: str
    publication_id: int
    published_at: datetime
    as_of: datetime
    scorecard: Row
    rounds: Sequence[Row]
    unanswered: Sequence[Row]
    lacking: Sequence[Row]
    cases: Sequence[Row]
    unconfirmed: Sequence[Row]
    warnings: Sequence[Row]

    @property
    def is_synthetic(self) -> bool:
        """Whether anything in the note rests on synthetic records."""
        lists = (self.rounds, self.unanswered, self.lacking, self.cases, self.unconfirmed, self.warnings)
        return any(row["is_synthetic"] for rows in lists for row in rows)


_ROUNDS = """
    select
        reporting.round_year, nri.deadline, reporting.report_status, reporting.is_late,
        reporting.has_designated_authority, reporting.questions_shown, reporting.questions_answered,
        reporting.answered_share, reporting.is_synthetic
    from marts.reporting as reporting
    left join marts.dim_round as nri on reporting.round_year = nri.round_year
    where reporting.country_iso3 = :country
    order by reporting.round_year
"""
_UNANSWERED = r"""
    with question as (
        select survey_id, heading, gist from reference.nri_question
        union all
        select survey_id, heading, gist from reference.nri_report_question
    )

    select
        answer.code_article, answer.canonical_item,
        min(question.gist) filter (where answer.value_state = 'empty') as gist,
        count(*) filter (where answer.value_state = 'empty') as empty,
        count(*) filter (where answer.value_state in ('empty', 'answered')) as shown,
        bool_or(answer.is_synthetic) as is_synthetic
    from marts.answers as answer
    left join question on answer.survey_id = question.survey_id and answer.heading = question.heading
    where
        answer.country_iso3 = :country and answer.round_year = :round
        -- A box left alone and a remark that nobody made are not missing.
        and answer.value_kind <> 'tick'
        and answer.heading !~ '(other|comment)\]$'
    group by answer.code_article, answer.canonical_item
    having count(*) filter (where answer.value_state = 'empty') > 0
    order by
        string_to_array(regexp_replace(answer.code_article, '[^0-9.].*$', ''), '.')::int[],
        answer.canonical_item
"""
_LACKING = """
    select monitoring.code_article, indicator.title, monitoring.is_synthetic
    from marts.monitoring as monitoring
    inner join marts.dim_indicator as indicator on monitoring.indicator = indicator.indicator
    where
        monitoring.country_iso3 = :country and monitoring.round_year = :round
        and monitoring.expected and not monitoring.answered
    order by string_to_array(regexp_replace(monitoring.code_article, '[^0-9.].*$', ''), '.')::int[],
        indicator.title
"""
_CASES = """
    select
        review.review_id, review.rule, review.asset, review.row_key, review.figure, review.compared_with,
        review.unit, review.reason, review.ask, review.is_synthetic
    from quality.review as review
    where
        review.status = 'open'
        and exists (
            select from jsonb_each_text(review.row_key) as part
            where part.key like '%iso3' and part.value = :country
        )
    order by review.is_synthetic, review.rule, review.review_id
"""
_UNCONFIRMED = """
    select
        round_year, 'assistance' as kind,
        case
            when is_reported_by_donor
                then donor_iso3 || ' reports that it gives to ' || recipient_iso3
                    || ', whose report does not say so'
            else recipient_iso3 || ' reports that it receives from ' || donor_iso3
                || ', whose report does not say so'
        end as words,
        is_synthetic
    from marts.support_pairs
    where
        :country in (donor_iso3, recipient_iso3)
        and reconciliation in ('recipient_does_not_confirm', 'donor_does_not_confirm')
    union all
    select
        round_years[cardinality(round_years)], 'agreement',
        'of ' || array_to_string(parties, ', ') || coalesce(' from ' || valid_from_year, '')
            || ', reported by ' || array_to_string(reported_by, ', ')
            || ' alone, though another party sent a report',
        is_synthetic
    from marts.agreements
    where :country = any(parties) and notification = 'one_party_other_reports_without'
    order by 1, 2, 3
"""
_WARNINGS = """
    select
        finding.asset, finding.rule, rule.description, finding.rows, finding.examples,
        coalesce((
            select bool_or((example ->> 'is_synthetic')::boolean)
            from jsonb_array_elements(finding.examples) as example
        ), not :real_alone) as is_synthetic
    from quality.country_finding as finding
    inner join quality.rule as rule
        on rule.suite = 'marts' and finding.asset = rule.asset and finding.rule = rule.rule
    where finding.gate_id = :gate_id and finding.country_iso3 = :country and finding.severity = 'warning'
    order by finding.asset, finding.rule
"""


def country_feedback(engine: Engine, country_iso3: str) -> Feedback:
    """What the country is to be told, as of the last publication.

    ``engine`` acts as any role that reads marts. Raises FeedbackError for a country that is no WHO Member
    State, before the first publication, and where a contact stands in what the note would show.
    """
    with engine.connect() as connection:

        def rows(query: str, **parameters: Any) -> list[dict[str, Any]]:
            found = connection.execute(text(query), {"country": country_iso3, **parameters})
            return [dict(row._mapping) for row in found]

        publication = _publication(connection)
        scored = rows("select * from quality.country_scorecard where country_iso3 = :country")
        named = rows("select name, who_region from marts.dim_country where country_iso3 = :country")
        if publication is None or not scored or not named:
            raise FeedbackError(
                f"{country_iso3} is no WHO Member State of the last publication; codes are ISO 3166-1 alpha-3"
            )
        reported = rows(_ROUNDS)
        latest = scored[0]["latest_round"]
        warnings = rows(_WARNINGS, gate_id=publication["gate_id"], real_alone=not scored[0]["is_synthetic"])
        feedback = Feedback(
            country_iso3=country_iso3,
            name=named[0]["name"],
            who_region=named[0]["who_region"] or "",
            publication_id=publication["publication_id"],
            published_at=publication["published_at"],
            as_of=publication["as_of"],
            scorecard=scored[0],
            rounds=reported,
            unanswered=rows(_UNANSWERED, round=latest),
            lacking=rows(_LACKING, round=latest),
            cases=rows(_CASES),
            unconfirmed=rows(_UNCONFIRMED),
            warnings=[{**row, "ask": _office(row["asset"])} for row in warnings],
        )
    _refuse_contacts(feedback)
    return feedback


def _publication(connection: Connection) -> dict[str, Any] | None:
    found = connection.execute(
        text("""
            select publication.publication_id, publication.published_at, publication.as_of, gate.gate_id
            from quality.publication as publication
            inner join quality.gate as gate on gate.gate_id = any(publication.gate_ids) and gate.gate = 'mart'
            order by publication.publication_id desc, gate.gate_id desc
            limit 1
        """)
    ).one_or_none()
    return None if found is None else dict(found._mapping)


def _office(asset: str) -> str:
    mart = asset.partition(".")[2]
    return next((office for start, office in _OFFICES if mart.startswith(start)), _AUTHORITY)


def _refuse_contacts(feedback: Feedback) -> None:
    """Marts hold no contact; should one slip through, no note is made of it."""
    lists = (feedback.unanswered, feedback.lacking, feedback.cases, feedback.unconfirmed, feedback.warnings)
    for row in (row for rows in lists for row in rows):
        for column, value in row.items():
            if _CONTACT.search(str(value)):
                where = f"case {row['review_id']}" if "review_id" in row else f"{row.get('rule', 'a row')}"
                raise FeedbackError(
                    f"the note of {feedback.country_iso3} would show a contact in {column} of {where}; "
                    "correct the rule or mart that shows it"
                )


def render_feedback(feedback: Feedback) -> str:
    """The note as one printable HTML page that loads nothing."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["figure"] = _figure
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    environment.filters["mart"] = lambda asset: str(asset).partition(".")[2]
    template = environment.from_string((_TEMPLATES / "feedback.html").read_text(encoding="utf-8"))
    return template.render(note=feedback, authority=_AUTHORITY)


def _figure(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:,.2f}"


def member_states(engine: Engine) -> list[str]:
    """Countries that a note can be made of: the Member States of the last publication's scorecard."""
    with engine.connect() as connection:
        found = connection.execute(
            text("select country_iso3 from quality.country_scorecard order by country_iso3")
        )
        return list(found.scalars())
