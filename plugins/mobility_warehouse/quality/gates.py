"""The two gates of a run: raw before the marts are built, the candidate marts before they are published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Engine

from mobility_warehouse.quality.build_tests import build_test_results
from mobility_warehouse.quality.docs import build_data_docs
from mobility_warehouse.quality.results import GateFailed, GateReport, judged_content, store_gate
from mobility_warehouse.quality.review import keep_cases
from mobility_warehouse.quality.rules import known_at
from mobility_warehouse.quality.runner import judge
from mobility_warehouse.quality.scorecards import (
    keep_country_findings,
    keep_country_scores,
    keep_rules,
)
from mobility_warehouse.quality.suites import mart_suite, raw_suite
from mobility_warehouse.settings import Settings
from mobility_warehouse.sources.declaration import Source
from mobility_warehouse.sources.registry import sources
from mobility_warehouse.transform import build_results, manifest_path


def run_raw_gate(
    engine: Engine,
    source_names: Iterable[str],
    run_id: str,
    *,
    as_of: datetime | None = None,
    settings: Settings | None = None,
    registered: Mapping[str, Source] | None = None,
) -> list[GateReport]:
    """Judge what is landed of each source and store the results; one report a source.

    Judged is what was known ``as_of`` the candidate's moment, else now: what landed since is not in the
    candidate, and must not vouch for it. Cases for review are kept in ``quality.review`` and decide nothing.

    One call judges many sources, because importing Great Expectations takes seconds. ``engine`` acts as
    ``publisher``. Raises GateFailed, after everything is stored and the Data Docs are built, when a
    critical rule failed on any source; KeyError for a source that is not registered.
    """
    settings = settings or Settings.from_environment()
    known = registered or sources()
    suites = {name: raw_suite(known[name], settings.expectations_dir) for name in source_names}
    started_at = datetime.now(UTC)
    keep_rules(engine, list(suites.values()), run_id, settings.expectations_dir)
    judged = {name: known_at(suite, as_of) for name, suite in suites.items()}
    results = judge(engine, list(judged.values()), run_id=run_id, home=settings.home)
    reports = [
        store_gate(
            engine,
            run_id=run_id,
            gate="raw",
            subject=name,
            started_at=started_at,
            results=keep_cases(engine, suite, run_id, results[suite.name]),
        )
        for name, suite in judged.items()
    ]
    if not all(report.passed for report in reports):
        build_data_docs(settings)
        raise GateFailed(reports)
    return reports


def run_mart_gate(
    engine: Engine, run_id: str, *, as_of: datetime | None = None, settings: Settings | None = None
) -> GateReport:
    """Judge the candidate in ``audit`` and store the results.

    What was judged is stored with them, so that nothing else can be published, what the tests of the build
    found, and what was found of each country, for its scorecard. Rules that look into raw see it ``as_of``
    the candidate's moment, else now. ``engine`` acts as ``publisher``. Raises GateFailed, after everything is
    stored and the Data Docs are built, when a critical rule failed; of a candidate that passed they can be
    built while it is published.
    """
    settings = settings or Settings.from_environment()
    started_at = datetime.now(UTC)
    with engine.connect() as connection:
        suite = mart_suite(connection, settings.expectations_dir)
        content = judged_content(connection)
    manifest = manifest_path(settings)
    keep_rules(engine, [suite], run_id, settings.expectations_dir, manifest)
    suite = known_at(suite, as_of)
    built = build_test_results(manifest, build_results(run_id, settings))
    results = judge(engine, [suite], run_id=run_id, home=settings.home)[suite.name]
    report = store_gate(
        engine,
        run_id=run_id,
        gate="mart",
        subject="marts",
        started_at=started_at,
        results=[*content, *built, *keep_cases(engine, suite, run_id, results)],
    )
    keep_country_findings(engine, suite, report.gate_id, results)
    keep_country_scores(engine, report.gate_id)
    if not report.passed:
        build_data_docs(settings)
        raise GateFailed([report])
    return report
