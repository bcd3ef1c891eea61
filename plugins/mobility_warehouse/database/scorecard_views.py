"""Views of ``quality`` that analysts read: trend of rules, scorecards of sources and of countries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A view with a comment on itself and on every column, in the order of its columns."""

    name: str
    query: str
    comment: str
    columns: Mapping[str, str]

    @property
    def statements(self) -> list[str]:
        """Statements that create the view and say what it shows."""

        def literal(words: str) -> str:
            return "'" + words.replace("'", "''") + "'"

        return [
            f"create view {self.name} ({', '.join(self.columns)}) as {self.query}",
            f"comment on view {self.name} is {literal(self.comment)}",
            *(
                f"comment on column {self.name}.{column} is {literal(words)}"
                for column, words in self.columns.items()
            ),
        ]


_RULE_TREND = View(
    name="quality.rule_trend",
    comment="Every rule in every run that judged by it, beside the run before: what gets better, what worse.",
    columns={
        "run_id": "Run of the orchestrator",
        "judged_at": "When the gate finished",
        "gate": "raw or mart",
        "suite": "Suite of the rule",
        "asset": "The table judged",
        "rule": "Name of the rule within suite and asset",
        "severity": "Severity of the rule in that run",
        "success": "Whether nothing was at fault",
        "at_fault": "Rows at fault; null where the rule counts none",
        "at_fault_share": "Rows at fault over rows judged, 0 to 1; null where not counted",
        "at_fault_before": "Rows at fault in the run before that judged by the rule; null for its first",
        "change": "at_fault less at_fault_before",
    },
    query="""
        select
            gate.run_id,
            gate.finished_at,
            gate.gate,
            result.suite,
            result.asset,
            result.rule,
            result.severity,
            result.success,
            result.unexpected_count,
            result.unexpected_share,
            lag(result.unexpected_count) over earlier,
            result.unexpected_count - lag(result.unexpected_count) over earlier
        from quality.expectation_result as result
        inner join quality.gate as gate on result.gate_id = gate.gate_id
        where result.severity <> 'info'
        window earlier as (
            partition by result.suite, result.asset, result.rule, result.column_name order by gate.gate_id
        )
    """,
)

_SOURCE_SCORECARD = View(
    name="quality.source_scorecard",
    comment="Each source that was pulled: how fresh, how complete, how clean, real or synthetic.",
    columns={
        "source": "Name of the source",
        "last_pull_at": "When a pull of it last succeeded, whether it changed anything or not",
        "last_change_at": "When a pull of it last changed what is landed",
        "days_since_pull": "Days since last_pull_at",
        "slices": "Slices that were ever pulled: indicators, surveys, files",
        "slices_current": "Of them, those whose last pull succeeded",
        "completeness": "slices_current over slices, 0 to 1",
        "records_read": "Records of each slice's last successful pull that brought any, summed",
        "quarantined_share": "Of records_read, those quarantined, 0 to 1; null where none was read",
        "open_quarantine": "Records in quarantine that nobody has settled",
        "stale_keys": "Keys whose version stands although a later pull held an invalid record for them",
        "critical_failures": "Critical rules that failed at the last raw gate; null before the first",
        "warnings": "Warnings at the source's last raw gate; null before the first",
        "review_cases": "Open cases for review that rest on a pull of the source",
        "slices_synthetic": "Slices of which a landed pull held synthetic records",
        "figures": "real, synthetic, or mixed where only some slices are synthetic",
    },
    query="""
        with pulled as (
            select
                source,
                resource,
                slice,
                max(fetch_id) as last_id,
                max(fetch_id) filter (where outcome in ('loaded', 'unchanged')) as good_id,
                max(fetch_id) filter (
                    where outcome in ('loaded', 'unchanged') and coalesce(read, 0) > 0
                ) as read_id,
                max(landed_at) filter (where outcome = 'loaded') as changed_at,
                -- What came unchanged says nothing of its kind.
                bool_or(synthetic) filter (where outcome = 'loaded') as is_synthetic
            from raw.fetch
            where outcome <> 'running'
            group by source, resource, slice
        ),

        sources as (
            select
                pulled.source,
                max(good.finished_at) as last_pull_at,
                max(pulled.changed_at) as last_change_at,
                count(*) as slices,
                count(*) filter (where pulled.good_id = pulled.last_id) as slices_current,
                coalesce(sum(counted.read), 0)::bigint as records_read,
                coalesce(sum(counted.quarantined), 0)::bigint as quarantined,
                count(*) filter (where pulled.is_synthetic) as slices_synthetic
            from pulled
            left join raw.fetch as good on pulled.good_id = good.fetch_id
            left join raw.fetch as counted on pulled.read_id = counted.fetch_id
            group by pulled.source
        ),

        judged as (
            select distinct on (subject) subject, critical_failures, warnings
            from quality.gate
            where gate = 'raw'
            order by subject, gate_id desc
        )

        select
            sources.source,
            sources.last_pull_at,
            sources.last_change_at,
            round((extract(epoch from now() - sources.last_pull_at) / 86400)::numeric, 1),
            sources.slices,
            sources.slices_current,
            round(sources.slices_current::numeric / sources.slices, 4),
            sources.records_read,
            round(sources.quarantined::numeric / nullif(sources.records_read, 0), 6),
            (
                select count(*) from quarantine.record as record
                where record.source = sources.source and record.status = 'open'
            ),
            (
                select count(distinct (stale.resource, stale.key_hash)) from raw.stale as stale
                where stale.source = sources.source and stale.stale_to = 'infinity'
            ),
            judged.critical_failures,
            judged.warnings,
            (
                select count(*) from quality.review as review
                where
                    review.status = 'open'
                    and exists (
                        select from raw.fetch as pull
                        where pull.fetch_id = any(review.fetch_ids) and pull.source = sources.source
                    )
            ),
            sources.slices_synthetic,
            case
                when sources.slices_synthetic = 0 then 'real'
                when sources.slices_synthetic = sources.slices then 'synthetic'
                else 'mixed'
            end
        from sources
        left join judged on sources.source = judged.subject
    """,
)

_COUNTRY_SCORECARD = View(
    name="quality.country_scorecard",
    comment="Each WHO Member State in the last publication: reported what, missing what, what disagrees.",
    columns={
        "country_iso3": "WHO Member State, ISO 3166-1 alpha-3 code",
        "rounds_reported": "Years of the rounds with a submitted report, sorted",
        "rounds_missing": "Years of the landed rounds without one, sorted",
        "latest_round": "Year of the latest round with a submitted report; null where there is none",
        "answered_share": "Questions answered over questions shown in the latest report, 0 to 1",
        "questions_empty": "Questions of the latest report that were shown and left empty",
        "disagreements": "Assistance and agreements that another party, which reported, does not confirm",
        "warnings": "Rules of severity warning that rows of the country do not meet",
        "rows_with_warnings": "Rows of the country that do not meet such a rule, over all rules",
        "review_cases": "Open cases for review of the country",
        "is_synthetic": "Whether any report of the country is synthetic",
    },
    query="""
        with judged as (
            select gate.gate_id
            from quality.publication as publication
            inner join quality.gate as gate
                on gate.gate_id = any(publication.gate_ids) and gate.gate = 'mart'
            order by publication.publication_id desc, gate.gate_id desc
            limit 1
        ),

        found as (
            select finding.country_iso3, count(*) as rules, sum(finding.rows)::bigint as "rows"
            from quality.country_finding as finding
            inner join judged on finding.gate_id = judged.gate_id
            where finding.severity = 'warning'
            group by finding.country_iso3
        ),

        cases as (
            select part.value as country_iso3, count(distinct review.review_id) as cases
            from quality.review as review
            cross join lateral jsonb_each_text(review.row_key) as part
            where review.status = 'open' and part.key like '%iso3'
            group by part.value
        )

        select
            score.country_iso3,
            score.rounds_reported,
            score.rounds_missing,
            score.latest_round,
            score.answered_share,
            score.questions_empty,
            score.disagreements,
            coalesce(found.rules, 0),
            coalesce(found."rows", 0),
            coalesce(cases.cases, 0),
            score.is_synthetic
        from quality.country_score as score
        inner join judged on score.gate_id = judged.gate_id
        left join found on score.country_iso3 = found.country_iso3
        left join cases on score.country_iso3 = cases.country_iso3
    """,
)

#: In the order in which they are made.
VIEWS = (_RULE_TREND, _SOURCE_SCORECARD, _COUNTRY_SCORECARD)
