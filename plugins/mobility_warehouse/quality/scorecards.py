"""Rules as data, and what a mart gate found of each country: what the scorecards in ``quality`` rest on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from mobility_warehouse.publication.relations import read_relations
from mobility_warehouse.quality.build_tests import declared_tests
from mobility_warehouse.quality.requirements import read_requirements
from mobility_warehouse.quality.results import RuleResult
from mobility_warehouse.quality.rules import WITHOUT_NESTED_LOOPS, Rule, Suite, read_rules

_STATED_IN_TABLES = {
    "rows_not_lost": "expectations/row_counts.csv",
    "rows_not_inflated": "expectations/row_counts.csv",
    "golden_observations": "expectations/golden_observations.csv",
    "golden_observations_stand": "expectations/golden_observations.csv",
}
_KEEP_RULE = text("""
    insert into quality.rule (
        suite, asset, rule, severity, description, origin, ask, requirements,
        first_run_id, first_seen, last_run_id, last_seen
    )
    values (
        :suite, :asset, :rule, :severity, :description, :origin, :ask, :requirements,
        :run_id, now(), :run_id, now()
    )
    on conflict (suite, asset, rule) do update set
        severity = excluded.severity, description = excluded.description, origin = excluded.origin,
        ask = excluded.ask, requirements = excluded.requirements,
        last_run_id = excluded.last_run_id, last_seen = excluded.last_seen
""")


def keep_rules(
    engine: Engine, suites: Sequence[Suite], run_id: str, expectations_dir: Path, manifest: Path | None = None
) -> None:
    """Bring ``quality.rule`` to what the suites judge by and, given dbt's ``manifest``, the build tests.

    ``engine`` acts as ``publisher``. A rule that is judged by no more stays, with the run that last did.
    """
    served: dict[str, list[str]] = {}
    for requirement in read_requirements(expectations_dir / "requirements.yml"):
        for name in requirement.held_by:
            served.setdefault(name, []).append(requirement.requirement)
    rows = [row for suite in suites for row in _suite_rows(suite, expectations_dir)]
    if manifest is not None and manifest.is_file():
        rows += declared_tests(json.loads(manifest.read_bytes()))
    if not rows:
        return
    with engine.begin() as connection:
        connection.execute(
            _KEEP_RULE,
            [
                {
                    **row,
                    "run_id": run_id,
                    "requirements": served.get(f"{row['suite']}.{row['name']}.{row['rule']}", [])
                    + served.get(f"dbt.{row['rule']}", []) * (row["suite"] == "dbt"),
                }
                for row in rows
            ],
        )


def _suite_rows(suite: Suite, expectations_dir: Path) -> Iterator[dict[str, Any]]:
    if suite.name == "marts":
        paths = sorted((expectations_dir / "marts").glob("*.yml"))
    else:
        paths = [expectations_dir / "raw" / f"{suite.name.removeprefix('raw_')}.yml"]
    stated = {
        (rule.asset, rule.rule): f"expectations/{path.relative_to(expectations_dir)}"
        for path in paths
        for rule in read_rules(path)
    }
    implied = "the catalogue's shape of the mart" if suite.name == "marts" else "the source's declaration"
    for rule in suite.rules:
        origin = stated.get((rule.asset, rule.rule)) or _STATED_IN_TABLES.get(rule.rule, implied)
        yield {
            "suite": suite.name,
            "name": rule.asset,
            "asset": suite.tables[rule.asset],
            "rule": rule.rule,
            "severity": rule.severity,
            "description": " ".join(rule.description.split()),
            "origin": origin,
            "ask": rule.ask,
        }


def keep_country_findings(engine: Engine, suite: Suite, gate_id: int, results: Sequence[RuleResult]) -> None:
    """Count every row at fault by the countries that it names, for each failed rule of the mart gate.

    The gate itself keeps twenty rows a rule, too few to tell one country what concerns it. A row names a
    country in a column ``*iso3``, or in a list of parties. ``engine`` acts as ``publisher``.
    """
    failed = {
        (result.asset, result.rule) for result in results if not result.success and result.unexpected_count
    }
    with engine.begin() as connection:
        connection.execute(text(f"set local {WITHOUT_NESTED_LOOPS}"))
        for rule in suite.rules:
            table = suite.tables[rule.asset]
            if (
                rule.query is not None
                and rule.severity in ("critical", "warning")
                and (table, rule.rule) in failed
            ):
                _count_by_country(connection, suite, rule, gate_id)


def _count_by_country(connection: Connection, suite: Suite, rule: Rule, gate_id: int) -> None:
    # Straight to the driver: colons of a rule are no parameters.
    connection.exec_driver_sql(
        f"""
        insert into quality.country_finding
            (gate_id, asset, rule, severity, country_iso3, "rows", examples)
        with batch as not materialized ({suite.batches[rule.asset]}),
        named as (
            select at_fault.row_no, at_fault.row, country.iso3
            from (
                select row_number() over () as row_no, to_jsonb(found) - 'fetch_ids' as row
                from ({rule.query}) as found
            ) as at_fault
            cross join lateral (
                select part.value #>> '{{}}' as iso3
                from jsonb_each(at_fault.row) as part
                where part.key like '%iso3' and jsonb_typeof(part.value) = 'string'
                union
                select party.value as iso3
                from jsonb_each(at_fault.row) as part
                cross join lateral jsonb_array_elements_text(part.value) as party
                where
                    part.key in ('parties', 'partners', 'reported_by')
                    and jsonb_typeof(part.value) = 'array'
            ) as country
        )
        select
            {gate_id}, {_literal(suite.tables[rule.asset])}, {_literal(rule.rule)}, {_literal(rule.severity)},
            iso3, count(*), jsonb_path_query_array(jsonb_agg(row order by row_no), '$[0 to 2]')
        from named
        group by iso3
        """.replace("%", "%%")
    )


_SCORED = frozenset({"reporting", "support_pairs", "agreements"})
_SCORE = text("""
    insert into quality.country_score (
        gate_id, country_iso3, rounds_reported, rounds_missing, latest_round, answered_share,
        questions_empty, disagreements, is_synthetic
    )
    with rounds as (
        select
            country_iso3,
            array_agg(round_year order by round_year) filter (where report_status = 'submitted') as reported,
            array_agg(round_year order by round_year) filter (where report_status <> 'submitted') as missing,
            max(round_year) filter (where report_status = 'submitted') as latest,
            coalesce(bool_or(is_synthetic) filter (where report_status = 'submitted'), false) as is_synthetic
        from audit.reporting
        group by country_iso3
    ),

    unconfirmed as (
        select donor_iso3 as country_iso3 from audit.support_pairs
        where reconciliation in ('recipient_does_not_confirm', 'donor_does_not_confirm')
        union all
        select recipient_iso3 from audit.support_pairs
        where reconciliation in ('recipient_does_not_confirm', 'donor_does_not_confirm')
        union all
        select unnest(parties) from audit.agreements
        where notification = 'one_party_other_reports_without'
    ),

    -- Counted once for all countries: a count for each would read all of them for each.
    disagreement as (
        select country_iso3, count(*) as disagreements from unconfirmed group by country_iso3
    )

    select
        :gate_id,
        rounds.country_iso3,
        coalesce(rounds.reported, '{}'),
        coalesce(rounds.missing, '{}'),
        rounds.latest,
        report.answered_share,
        report.questions_shown - report.questions_answered,
        coalesce(disagreement.disagreements, 0),
        rounds.is_synthetic
    from rounds
    left join disagreement on rounds.country_iso3 = disagreement.country_iso3
    left join audit.reporting as report
        on rounds.country_iso3 = report.country_iso3 and rounds.latest = report.round_year
""")


def keep_country_scores(engine: Engine, gate_id: int) -> None:
    """Write what each Member State reported in the candidate; nothing where its marts were not built."""
    with engine.begin() as connection:
        if read_relations(connection, "audit").keys() >= _SCORED:
            connection.execute(_SCORE, {"gate_id": gate_id})


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
