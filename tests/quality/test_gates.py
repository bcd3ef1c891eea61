"""Each kind of rule is shown to catch what it is for, on broken rows, through the gates themselves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from mobility_warehouse.landing.clock import choose_as_of
from mobility_warehouse.publication.candidate import Candidate
from mobility_warehouse.publication.publish import PublicationRefused, publish
from mobility_warehouse.quality.build_tests import keep_failed_build
from mobility_warehouse.quality.docs import build_data_docs
from mobility_warehouse.quality.gates import run_mart_gate, run_raw_gate
from mobility_warehouse.quality.results import GateFailed, GateReport
from mobility_warehouse.quality.rules import RuleError
from mobility_warehouse.sources.declaration import Source
from mobility_warehouse.transform import build_results, manifest_path, target_dir

from .conftest import Office, landing

if TYPE_CHECKING:
    from .conftest import Landed

pytestmark = pytest.mark.slow


def raw_gate(landed: Landed) -> GateReport:
    office: Source = Office()
    (report,) = run_raw_gate(
        landed.publisher, ["office"], "run-1", settings=landed.settings, registered={"office": office}
    )
    return report


def failures(landed: Landed) -> dict[str, int | None]:
    """Failed critical rules of the raw gate with how many rows each found."""
    with pytest.raises(GateFailed) as failed:
        raw_gate(landed)
    return {failure.rule: failure.unexpected_count for failure in failed.value.reports[0].critical_failures}


def test_sound_figures_pass_and_every_verdict_is_stored(landed: Landed) -> None:
    report = raw_gate(landed)

    assert report.passed
    assert report.warnings == ()
    assert landed.rows("select run_id, gate, subject, passed, critical_failures from quality.gate") == [
        ("run-1", "raw", "office", True, 0)
    ]
    ((stored,),) = landed.rows("select count(*) from quality.expectation_result where success")
    assert stored == len(report.results) == landed.rows("select expectations from quality.gate")[0][0]
    rules = {result.rule for result in report.results}
    assert {
        "key_unique",
        "kind_known",
        "year_not_null",
        "every_slice_landed",
        "every_record_counted",
    } <= rules


@pytest.mark.parametrize(
    ("breakage", "expected"),
    [
        ("update raw.office__observation set kind = 'guessed' where country = 'IND'", {"kind_known": 2}),
        ("update raw.fetch set slice = 'midwives' where slice = 'nurses'", {"every_slice_landed": 1}),
        ("delete from raw.office__observation", {"not_empty": None}),
        (
            "update raw.office__observation set country = 'GBR' where slice = 'doctors'",
            {"key_unique": 1},
        ),
        (
            """
            alter table raw.fetch drop constraint every_record_counted;
            update raw.fetch set read = 3 where slice = 'doctors'
            """,
            {"every_record_counted": 1},
        ),
    ],
    ids=["unknown value", "slice missing", "empty", "key twice", "a record lost"],
)
def test_what_a_declaration_implies_is_judged(
    landed: Landed, breakage: str, expected: dict[str, int | None]
) -> None:
    landed.run(*breakage.split(";"))

    assert failures(landed) == expected


def test_closed_versions_are_not_judged(landed: Landed) -> None:
    landed.run(
        "update raw.office__observation set kind = 'guessed', fetched_to = now(), closed_by_fetch_id = 2 "
        "where slice = 'doctors' and country = 'IND'"
    )

    assert raw_gate(landed).passed


def test_a_failed_pull_and_a_growing_quarantine_are_warnings(landed: Landed) -> None:
    landed.run(
        "insert into raw.fetch (source, resource, slice, synthetic, outcome, message) "
        "values ('office', 'observation', 'doctors', false, 'refused', 'lost 30% of its rows')",
        "update raw.fetch set read = 102, unchanged = 98, quarantined = 2 where slice = 'nurses'",
    )

    report = raw_gate(landed)

    assert report.passed
    assert {warning.rule for warning in report.warnings} == {
        "last_pull_landed",
        "observation_quarantined_share",
    }
    (refused,) = [warning for warning in report.warnings if warning.rule == "last_pull_landed"]
    assert refused.unexpected_rows is not None
    assert refused.unexpected_rows[0]["message"] == "lost 30% of its rows"


def test_reviewed_row_counts_and_golden_observations_are_judged(landed: Landed) -> None:
    landed.rules(
        "row_counts.csv",
        "relation,part,min_rows,max_rows,counted_on,remark\n"
        "raw.office__observation,doctors,3,9,2026-01-01,\n"
        "raw.office__observation,nurses,0,1,2026-01-01,\n"
        "raw.office__observation,midwives,1,9,2026-01-01,\n",
    )
    golden = [
        # As checked; as checked but revised since; wrong in the refresh checked; gone.
        ("doctors", "IND", 1000, "2023-05-10"),
        ("doctors", "GBR", 1100, "2022-01-01"),
        ("nurses", "IND", 2001, "2023-05"),
        ("nurses", "FRA", 5, "2023-05-10"),
    ]
    landed.rules(
        "golden_observations.csv",
        "relation,key,column,value,tolerance,vintage_column,vintage,checked_against\n"
        + "".join(
            f'raw.office__observation,"{{""indicator"": ""{indicator}"", ""country"": ""{country}""}}",'
            f"value,{value},1e-9,refreshed,{vintage},\n"
            for indicator, country, value, vintage in golden
        ),
    )

    with pytest.raises(GateFailed) as failed:
        raw_gate(landed)

    (report,) = failed.value.reports
    found = {result.rule: result.unexpected_rows for result in report.results if not result.success}
    assert found.keys() == {
        "rows_not_lost",
        "rows_not_inflated",
        "golden_observations",
        "golden_observations_stand",
    }
    assert sorted(row["part"] for row in found["rows_not_lost"] or ()) == ["doctors", "midwives"]
    assert [row["part"] for row in found["rows_not_inflated"] or ()] == ["nurses"]
    assert [row["observation"] for row in found["golden_observations"] or ()] == ["nurses, IND"]
    assert [row["observation"] for row in found["golden_observations_stand"] or ()] == ["nurses, FRA"]
    assert {warning.rule for warning in report.warnings} == {"rows_not_inflated", "golden_observations_stand"}


def test_rules_of_a_file_hold_conditions_joins_and_braces(landed: Landed) -> None:
    landed.rules(
        "raw/office.yml",
        """
        - rule: many_doctors
          asset: observation
          severity: critical
          description: India has more than 5 000 doctors
          query: select country, value from batch as o where indicator = 'doctors' and value < 5000
        - rule: year_written
          asset: observation
          severity: critical
          description: A year has four digits
          query: select o.* from batch as o where cast(o.year as text) !~ '^[0-9]{4}$'
        - rule: more_nurses
          asset: observation
          severity: warning
          description: Nurses are fewer than doctors, at 12:30
          query: >
            select d.country, d.value as doctors, n.value as nurses from batch as d
            inner join batch as n on d.country = n.country
            where d.indicator = 'doctors' and n.indicator = 'nurses' and n.value > d.value
        - rule: year_in_range
          asset: observation
          severity: warning
          description: Before 2020
          expect: ExpectColumnValuesToBeBetween
          options: {column: year, max_value: 2019}
        """,
    )

    with pytest.raises(
        GateFailed, match=r"(?s)many_doctors on raw.office__observation, 2 rows: India has.*IND"
    ):
        raw_gate(landed)

    stored = landed.rows(
        "select rule, severity, unexpected_count, column_name from quality.expectation_result "
        "where not success order by rule"
    )
    assert stored == [
        ("many_doctors", "critical", 2, None),
        ("more_nurses", "warning", 2, None),
        ("year_in_range", "warning", 4, "year"),
    ]
    ((rows,),) = landed.rows(
        "select unexpected_rows from quality.expectation_result where rule = 'many_doctors'"
    )
    assert {"country": "IND", "value": 1000.0} in rows  # type: ignore[operator]


def test_rows_at_fault_are_counted_whole_and_fetched_in_part(landed: Landed) -> None:
    landed.rules(
        "raw/office.yml",
        """
        - rule: many_rows
          asset: observation
          severity: warning
          description: ''
          query: >
            select number from batch as one inner join batch as other on one.key_hash = other.key_hash
            cross join generate_series(1, 1000) as number
            order by number
        """,
    )
    ((records,),) = landed.rows("select count(*) from raw.office__observation where fetched_to = 'infinity'")

    assert raw_gate(landed).passed

    ((counted, kept),) = landed.rows(
        "select unexpected_count, unexpected_rows from quality.expectation_result where rule = 'many_rows'"
    )
    assert counted == 1000 * records  # type: ignore[operator]
    assert [row["number"] for row in kept] == [1 + place // records for place in range(20)]  # type: ignore[operator, attr-defined]


def test_a_rule_that_cannot_be_evaluated_is_critical(landed: Landed) -> None:
    landed.rules(
        "raw/office.yml",
        "- {rule: broken, asset: observation, severity: warning, description: '', "
        "query: 'select gone from batch as o'}",
    )

    with pytest.raises(GateFailed, match=r"could not be evaluated: .*gone"):
        raw_gate(landed)


def test_rule_files_that_do_not_keep_their_form_are_named(landed: Landed) -> None:
    rule = (
        "- {rule: a, asset: observation, severity: warning, description: '', query: 'select 1 from batch'}\n"
    )
    for content, message in (
        (rule.replace("observation", "elsewhere"), "judges elsewhere, which does not exist"),
        (rule.replace("warning", "fatal"), "office.yml: Invalid enum value 'fatal'"),
        (rule.replace("batch", "raw.fetch"), "does not read batch"),
        (rule + rule, "stated twice"),
        (rule.replace("query", "sql"), "unknown field `sql`"),
    ):
        landed.rules("raw/office.yml", content)
        with pytest.raises(RuleError, match=message):
            raw_gate(landed)


def test_data_docs_show_rules_on_a_query_that_another_process_judged(landed: Landed) -> None:
    landed.rules(
        "raw/office.yml",
        "- {rule: amounts_are_small, asset: observation, severity: warning, "
        "description: No amount is above a million., query: 'select * from batch where false'}\n",
    )
    raw_gate(landed)

    built = subprocess.run(
        [sys.executable, "-c", "from mobility_warehouse.quality import docs; docs.build_data_docs()"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MOBILITY_HOME": str(landed.settings.home)},
    )

    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    results = [*(landed.settings.data_docs_dir / "validations" / "raw_office__observation").rglob("*.html")]
    assert results
    assert all("No amount is above a million." in page.read_text(encoding="utf-8") for page in results)


def test_data_docs_show_the_gate_and_no_secret(landed: Landed) -> None:
    raw_gate(landed)
    landed.run("create table audit.stock (id integer primary key, fetch_ids bigint[] not null)")
    landed.run("insert into audit.stock values (1, '{1}')")
    landed.run("create table audit.weak (like audit.stock including all)")
    landed.run("insert into audit.weak values (1, '{99}')")
    landed.run("grant select on all tables in schema audit to publisher")

    with pytest.raises(GateFailed, match="weak"):
        run_mart_gate(landed.publisher, "run-1", settings=landed.settings)
    build_data_docs(landed.settings)

    pages = list(landed.settings.data_docs_dir.rglob("*.html"))
    assert landed.settings.data_docs_dir / "index.html" in pages
    assert any("raw_office__observation" in str(page) for page in pages)
    assert any("marts__stock" in str(page) for page in pages)
    first = (landed.settings.data_docs_dir / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'<td><a href="([^"]+)">([^<]+)</a></td>\s*<td class="(\w+)">', first)
    assert {suite for _, suite, _ in links} >= {"raw_office__observation", "marts__stock"}
    verdicts = ["failed", "warnings", "passed"]
    assert links[0][1:] == ("marts__weak", "failed")
    assert links == sorted(links, key=lambda link: (verdicts.index(link[2]), link[1])), (
        "what calls for a look first"
    )
    for page, _, _ in links:
        assert (landed.settings.data_docs_dir / unquote(page)).is_file()
    for path in pages:
        loaded = re.findall(
            r"""<(?:script|link|img)[^>]*//[^>]*>|url\(['"]?http""", path.read_text(encoding="utf-8")
        )
        assert loaded == [], f"{path.name} loads from another host, which learns who reads it"
    # The connection's address would carry the password.
    stored = [path for path in landed.settings.home.rglob("*") if path.suffix in (".html", ".json")]
    assert stored
    for path in stored:
        assert "postgresql" not in path.read_text(encoding="utf-8")


def build_stock(landed: Landed, *rows: str) -> None:
    landed.run(
        "drop table if exists audit.stock",
        "create table audit.stock (country_iso3 text, year integer, home_share numeric(5, 4), "
        "is_synthetic boolean not null, fetch_ids bigint[] not null, primary key (country_iso3, year))",
        "drop table if exists audit.dim_country",
        "create table audit.dim_country (country_iso3 text primary key, is_synthetic boolean not null, "
        "fetch_ids bigint[] not null)",
        "insert into audit.dim_country values ('IND', false, '{}'), ('GBR', false, '{}')",
        f"insert into audit.stock values {', '.join(rows)}",
        "grant select on all tables in schema audit to publisher",
    )


def test_what_every_mart_must_keep_is_judged(landed: Landed) -> None:
    landed.run("update raw.fetch set synthetic = true where fetch_id = 2")
    build_stock(
        landed,
        "('IND', 2020, 0.5, false, '{1}')",
        "('GBR', 2020, 1.5, false, '{1}')",
        "('GBR', 2021, 0.5, false, '{}')",
        "('GBR', 2022, 0.5, false, '{99}')",
        "('IND', 2021, 0.5, false, '{1,2}')",
        "('IND', 2022, 0.5, true, '{1,2}')",
        "('UK', 2020, 0.5, false, '{1}')",
    )
    landed.rules(
        "row_counts.csv",
        "relation,part,min_rows,max_rows,counted_on,remark\nmarts.stock,,100,200,2026-01-01,\n",
    )

    with pytest.raises(GateFailed) as failed:
        run_mart_gate(landed.publisher, "run-1", settings=landed.settings)

    (report,) = failed.value.reports
    assert {(failure.rule, failure.unexpected_count) for failure in report.critical_failures} == {
        ("home_share_is_share", 1),
        ("has_lineage", 1),
        ("lineage_landed", 1),
        ("synthetic_is_marked", 1),
        ("country_iso3_resolved", 1),
        ("rows_not_lost", 1),
    }


def test_a_row_that_a_foreign_key_leads_nowhere_stops_the_publication(landed: Landed) -> None:
    build_stock(landed, "('IND', 2020, 0.5, false, '{1}')", "('GBR', 2021, 0.5, false, '{1}')")
    landed.run(
        "create table audit.dim_year (year integer primary key, fetch_ids bigint[], is_synthetic boolean)",
        "insert into audit.dim_year values (2020, '{}', false)",
        "alter table audit.stock add foreign key (year) references audit.dim_year not enforced",
        "grant select on audit.dim_year to publisher",
    )

    with pytest.raises(GateFailed, match=r"(?s)year_resolved on audit.stock, 1 rows.*2021"):
        run_mart_gate(landed.publisher, "run-1", settings=landed.settings)


def test_a_broken_figure_stops_the_publication_and_the_last_one_stands(landed: Landed) -> None:
    landed.rules(
        "marts/stock.yml",
        "- {rule: below_one, asset: stock, severity: critical, description: less than all, "
        "query: 'select * from batch as stock where home_share = 1'}",
    )
    build_stock(landed, "('IND', 2020, 0.5, false, '{1}')")
    moment = landed.rows("select now()")[0][0]
    first = run_mart_gate(landed.publisher, "run-1", settings=landed.settings)
    publish(landed.publisher, Candidate("run-1", moment), [first.gate_id])  # type: ignore[arg-type]
    build_stock(landed, "('IND', 2020, 1, false, '{1}')")

    with pytest.raises(GateFailed, match=r"(?s)below_one on audit.stock, 1 rows: less than all.*IND"):
        run_mart_gate(landed.publisher, "run-2", settings=landed.settings)

    ((gate_id,),) = landed.rows("select gate_id from quality.gate where run_id = 'run-2'")
    with pytest.raises(PublicationRefused, match="did not pass"):
        publish(landed.publisher, Candidate("run-2", moment), [gate_id])  # type: ignore[arg-type, list-item]
    assert landed.rows("select home_share::text from marts.stock") == [("0.5000",)]


def test_a_mart_that_would_shrink_is_a_warning(landed: Landed) -> None:
    build_stock(landed, *(f"('IND', {year}, 0.5, false, '{{1}}')" for year in range(2000, 2010)))
    moment = landed.rows("select now()")[0][0]
    first = run_mart_gate(landed.publisher, "run-1", settings=landed.settings)
    publish(landed.publisher, Candidate("run-1", moment), [first.gate_id])  # type: ignore[arg-type]
    build_stock(landed, *(f"('IND', {year}, 0.5, false, '{{1}}')" for year in range(2002, 2012)))

    report = run_mart_gate(landed.publisher, "run-2", settings=landed.settings)

    (warning,) = report.warnings
    assert (warning.rule, warning.unexpected_rows) == (
        "rows_not_withdrawn",
        [{"published": 10, "withdrawn": 2}],
    )


def test_a_mart_that_would_collapse_stops_the_publication_until_somebody_counts_it(landed: Landed) -> None:
    real = [f"('IND', {year}, 0.5, false, '{{1}}')" for year in range(2000, 2010)]
    made_up = [f"('IND', {year}, 0.5, true, '{{1}}')" for year in range(2010, 2020)]
    build_stock(landed, *real, *made_up)
    moment = landed.rows("select now()")[0][0]
    first = run_mart_gate(landed.publisher, "run-1", settings=landed.settings)
    publish(landed.publisher, Candidate("run-1", moment), [first.gate_id])  # type: ignore[arg-type]

    build_stock(landed, *real[:5])
    half = run_mart_gate(landed.publisher, "run-2", settings=landed.settings)
    assert [warning.rule for warning in half.warnings] == ["rows_not_withdrawn"]

    build_stock(landed, *real[:4], *made_up)
    with pytest.raises(GateFailed, match=r"rows_not_collapsed on audit.stock, 1 rows.*\n.*'published': 10"):
        run_mart_gate(landed.publisher, "run-3", settings=landed.settings)

    counted = datetime.now(UTC).date() + timedelta(days=1)
    bands = landed.settings.expectations_dir / "row_counts.csv"
    with bands.open("a", encoding="utf-8") as file:
        file.write(f"marts.stock,,14,20,{counted},what the publisher withdrew is gone for good\n")
    assert run_mart_gate(landed.publisher, "run-4", settings=landed.settings).passed


def dbt_built(landed: Landed, run_id: str, status: str, failures: int) -> None:
    """Leave what dbt leaves after the run's build, in which one test ended so."""
    target = target_dir(landed.settings)
    target.mkdir(parents=True, exist_ok=True)
    model = {"resource_type": "model", "name": "stock", "schema": "audit"}
    test = {
        "unique_id": "test.mobility_warehouse.shares_add_up.1",
        "resource_type": "test",
        "name": "shares_add_up",
        "attached_node": "model.mobility_warehouse.stock",
        "depends_on": {"nodes": ["model.mobility_warehouse.stock"]},
        "config": {"severity": "warn" if status == "warn" else "error"},
        "description": "Shares add up",
        "original_file_path": "models/stock.yml",
    }
    nodes = {"model.mobility_warehouse.stock": model, test["unique_id"]: test}
    (target / "manifest.json").write_text(json.dumps({"nodes": nodes}), encoding="utf-8")
    result = {
        "unique_id": test["unique_id"],
        "status": status,
        "execution_time": 0.1,
        "failures": failures,
        "message": f"Got {failures} results",
    }
    arguments = {"which": "build", "vars": {"run_id": run_id}}
    (target / "run_results.json").write_text(
        json.dumps({"args": arguments, "results": [result]}), encoding="utf-8"
    )


def test_tests_of_the_build_are_kept_and_trended_as_rules(landed: Landed) -> None:
    build_stock(landed, "('IND', 2020, 0.5, false, '{1}')")
    trend = "select success, severity, at_fault, change from quality.rule_trend where rule = 'shares_add_up'"
    dbt_built(landed, "run-1", "warn", 3)
    report = run_mart_gate(landed.publisher, "run-1", settings=landed.settings)
    assert [(result.asset, result.unexpected_count) for result in report.warnings] == [("audit.stock", 3)]

    dbt_built(landed, "run-2", "pass", 0)
    run_mart_gate(landed.publisher, "run-2", settings=landed.settings)
    # What an earlier run left says nothing of this one.
    run_mart_gate(landed.publisher, "run-3", settings=landed.settings)
    assert landed.rows(f"{trend} order by run_id") == [(False, "warning", 3, None), (True, "critical", 0, -3)]

    dbt_built(landed, "run-4", "fail", 1)
    for run_id in ("run-4", "run-5"):
        nodes = build_results(run_id, landed.settings)
        keep_failed_build(landed.publisher, run_id, manifest_path(landed.settings), nodes)
    assert landed.rows("select run_id, gate, critical_failures from quality.gate where not passed") == [
        ("run-4", "mart", 1)
    ]
    assert landed.rows(f"{trend} and run_id = 'run-4'") == [(False, "critical", 1, 1)]


def test_importing_the_gates_does_not_import_great_expectations() -> None:
    modules = [
        f"mobility_warehouse.{module}"
        for module in ("quality.gates", "quality.docs", "publication.publish", "publication.trace")
    ]
    program = (
        f"import importlib, json, sys; [importlib.import_module(m) for m in {modules!r}]; "
        "print(json.dumps([m for m in ('great_expectations', 'pandas') if m in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert json.loads(done.stdout) == []


def test_what_landed_since_vouches_for_no_candidate_and_stops_none(landed: Landed) -> None:
    office: Source = Office()
    landed.rules(
        "raw/office.yml",
        "- {rule: not_negative, asset: observation, severity: critical, description: '', "
        "query: select * from batch where value < 0}",
    )

    def land(value: int) -> None:
        landed.run(
            landing("doctors", read=1, revised=1),
            """
            update raw.office__observation set fetched_to = now()
            where fetched_to = 'infinity' and indicator = 'doctors' and country = 'IND'
            """,
            f"""
            insert into raw.office__observation
            select revised.*
            from raw.office__observation as version
            cross join lateral jsonb_populate_record(
                version,
                jsonb_build_object('value', {value}, 'fetched_from', now(), 'fetched_to', 'infinity')
            ) as revised
            where version.fetched_to = now()
            """,
        )

    def failed(as_of: datetime | None) -> set[str]:
        try:
            run_raw_gate(
                landed.publisher,
                ["office"],
                "run-1",
                as_of=as_of,
                settings=landed.settings,
                registered={"office": office},
            )
        except GateFailed as error:
            return {failure.rule for failure in error.reports[0].critical_failures}
        return set()

    sound = choose_as_of(landed.publisher)
    land(-1)
    broken = choose_as_of(landed.publisher)
    assert failed(None) == {"not_negative"}
    assert failed(sound) == set()
    land(1)
    assert failed(None) == set()
    assert failed(broken) == {"not_negative"}
    assert failed(sound - timedelta(days=1)) == {"every_slice_landed", "not_empty"}


def test_processes_that_share_the_marts_find_what_one_finds(
    landed: Landed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mart, stock in (("flow", "null"), ("stock", "1"), ("total", "-1")):
        landed.run(
            f"create table audit.{mart} (id integer primary key, stock integer, fetch_ids bigint[] not null)",
            f"insert into audit.{mart} values (1, {stock}, '{{1}}')",
            f"grant select on audit.{mart} to publisher",
        )
    landed.rules(
        "marts/signs.yml",
        "\n".join(
            f"- {{rule: sign, asset: {mart}, severity: warning, description: '', "
            "query: 'select id from batch where stock < 0'}"
            for mart in ("flow", "stock", "total")
        ),
    )

    def judge(run_id: str) -> None:
        run_mart_gate(landed.publisher, run_id, settings=landed.settings)

    def found(run_id: str) -> list[tuple[object, ...]]:
        return landed.rows(
            "select suite, asset, rule, success, unexpected_count, unexpected_rows "
            "from quality.expectation_result inner join quality.gate using (gate_id) "
            f"where run_id = '{run_id}' order by result_id"
        )

    judge("one")
    assert ("marts", "audit.total", "sign", False, 1, [{"id": 1}]) in found("one")
    monkeypatch.setattr("mobility_warehouse.quality.runner._ASSETS_A_PROCESS", 1)
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: {0, 1})
    judge("two")
    assert found("two") == found("one")
    # As Celery's workers are, which may have no children.
    landed.publisher.dispose()
    daemon = get_context("fork").Process(target=judge, args=("three",), daemon=True)
    daemon.start()
    daemon.join()
    assert found("three") == found("one")
