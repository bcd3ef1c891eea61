"""The commands that look and decide: output, errors, exit codes."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from mobility_warehouse.sources.registry import sources
from tests.runtime.conftest import MOBILITY, Mobility, clean_environment, run_mobility

HEAVY = ("airflow", "dbt", "great_expectations", "polars", "sqlalchemy", "psycopg", "rich", "httpx")


def _commands() -> list[tuple[str, ...]]:
    from mobility_warehouse.cli import main, quarantine, review

    return [
        *((name,) for name in main.commands),
        *(("quarantine", name) for name in quarantine.commands),
        *(("review", name) for name in review.commands),
    ]


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    from click.testing import CliRunner

    from mobility_warehouse.cli import main

    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0
    explanation = result.output.partition("\n\n")[2].partition("Options:")[0]
    assert len(explanation.split()) >= 5


def test_help_imports_nothing_that_costs_time(tmp_path: Path) -> None:
    code = "import sys, mobility_warehouse.cli; print(*sys.modules)"
    asked = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=clean_environment(tmp_path),
    )
    assert not set(HEAVY) & set(asked.stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("sql",),
        ("sql", "select 1", "--format", "yaml"),
        ("sql", "select 1", "--formt", "csv"),
        ("as-of", "yesterday"),
        ("as-of", "2025-13-01"),
        ("accept", "seven", "--by", "me"),
        ("accept", "7"),
        ("retire", "remittances", "--by", "me"),
        ("review", "resolve", "7", "--by", "me"),
        ("trace", "remittances"),
        ("trace", "remittances", "country_iso3"),
        ("trace", "remittances", "{broken"),
        ("fetches", "--limit", "0"),
        ("run", "who_gho", "nobody"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_says_what_is_wrong(arguments: tuple[str, ...], tmp_path: Path) -> None:
    asked = subprocess.run(
        [MOBILITY, *arguments], capture_output=True, text=True, check=False, env=clean_environment(tmp_path)
    )
    assert asked.returncode == 2
    assert re.search(r"^Error: ", asked.stderr, re.MULTILINE)
    assert asked.stdout == ""


class TestSql:
    """`mobility sql`."""

    QUERY = "select 1 as n, 'a,b' as t, null as nothing union all select 2, 'é', 'x' order by n"

    def test_json(self, mobility: Mobility) -> None:
        asked = mobility("sql", self.QUERY, "--format", "json")
        assert asked.returncode == 0
        assert json.loads(asked.stdout) == [
            {"n": 1, "t": "a,b", "nothing": None},
            {"n": 2, "t": "é", "nothing": "x"},
        ]

    def test_csv(self, mobility: Mobility) -> None:
        asked = mobility("sql", self.QUERY, "--format", "csv")
        assert list(csv.reader(io.StringIO(asked.stdout))) == [
            ["n", "t", "nothing"],
            ["1", "a,b", ""],
            ["2", "é", "x"],
        ]

    def test_table(self, mobility: Mobility) -> None:
        asked = mobility("sql", "select 1234567 as n, '[not markup]' as t")
        assert "1,234,567" in asked.stdout
        assert "[not markup]" in asked.stdout

    def test_a_query_may_begin_with_a_comment(self, mobility: Mobility) -> None:
        asked = mobility("sql", "-- what = it asks\nselect 1 as n", "--format", "json")
        assert json.loads(asked.stdout) == [{"n": 1}]

    DOCUMENTS = (
        """select '{"a": [1, null, "é"], "b": {"c": true}}'::jsonb as document, """
        "array['x', 'y, z'] as texts, array[1.50, 2]::numeric[] as numbers, array['2024-01-31'::date] as days"
    )

    @pytest.mark.parametrize("style", ["table", "csv"])
    def test_documents_and_arrays_are_json(self, mobility: Mobility, style: str) -> None:
        asked = mobility("sql", self.DOCUMENTS, "--format", style)
        assert asked.returncode == 0
        expected = [
            '{"a":[1,null,"é"],"b":{"c":true}}',
            '["x","y, z"]',
            "[1.50,2]",
            '["2024-01-31"]',
        ]
        if style == "csv":
            assert list(csv.reader(io.StringIO(asked.stdout)))[1] == expected
        else:
            assert all(value in asked.stdout for value in expected)

    def test_documents_stay_documents_in_json(self, mobility: Mobility) -> None:
        (row,) = json.loads(mobility("sql", self.DOCUMENTS, "--format", "json").stdout)
        assert row["document"] == {"a": [1, None, "é"], "b": {"c": True}}
        assert row["texts"] == ["x", "y, z"]

    def test_it_asks_as_the_analyst(self, mobility: Mobility) -> None:
        asked = mobility("sql", "select current_user as me", "--format", "json")
        assert json.loads(asked.stdout) == [{"me": "analyst"}]

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("select * from restricted.body", "permission denied for schema restricted"),
            ("create table marts.mine (n int)", "read-only transaction|permission denied"),
            ("select nonsense", 'column "nonsense" does not exist'),
        ],
    )
    def test_what_the_analyst_may_not_or_the_database_cannot(
        self, mobility: Mobility, query: str, message: str
    ) -> None:
        asked = mobility("sql", query)
        assert asked.returncode == 1
        assert asked.stderr.startswith("Error: ")
        assert re.search(message, asked.stderr)
        assert "Traceback" not in asked.stderr


def test_sources_lists_what_is_registered(mobility: Mobility) -> None:
    asked = mobility("sources", "--format", "json")
    listed = {row["source"]: row for row in json.loads(asked.stdout)}
    assert set(listed) == set(sources())
    for name, source in sources().items():
        assert listed[name]["licence"] == source.licence
        assert listed[name]["slices"] == len(source.slices())
        assert listed[name]["last pull"] == "never"


def _fetch(engine: Engine, outcome: str, source: str = "who_gho") -> int:
    with engine.begin() as connection:
        fetch_id: int = connection.execute(
            text(
                "insert into raw.fetch "
                "(source, resource, slice, synthetic, outcome, read, inserted, message) values "
                "(:source, 'observation', 'HWF_0001', false, :outcome, 5, 5, 'why') returning fetch_id"
            ),
            {"source": source, "outcome": outcome},
        ).scalar_one()
    return fetch_id


def test_fetches_are_listed_newest_first_and_chosen_by_outcome(mobility: Mobility, warehouse: Engine) -> None:
    loaded, refused = _fetch(warehouse, "loaded"), _fetch(warehouse, "refused")
    listed = json.loads(mobility("fetches", "--format", "json").stdout)
    assert [row["fetch_id"] for row in listed] == [refused, loaded]
    chosen = json.loads(mobility("fetches", "--outcome", "refused", "--format", "json").stdout)
    assert [(row["fetch_id"], row["message"]) for row in chosen] == [(refused, "why")]
    assert json.loads(mobility("fetches", "--source", "world_bank", "--format", "json").stdout) == []


class TestFetchesInATerminal:
    """The table fits the width, whatever was said of a pull."""

    MESSAGE = "787 of 2,623 current records are gone from the answer " + "and more was said " * 20

    @pytest.fixture
    def told(self, mobility: Mobility, warehouse: Engine) -> int:
        fetch_id = _fetch(warehouse, "refused")
        with warehouse.begin() as connection:
            connection.execute(text("update raw.fetch set message = :words"), {"words": self.MESSAGE})
        return fetch_id

    def test_messages_stand_whole_below_the_table(self, mobility: Mobility, told: int) -> None:
        asked = mobility("fetches", COLUMNS="100")
        table, _, below = asked.stdout.rpartition("┘\n")
        assert below == f"{told}: {self.MESSAGE}\n"
        assert all(len(line) <= 100 for line in table.splitlines())
        assert "HWF_0001" in table, "no cell is broken into lines"
        assert "withdrawn" not in table, "counts that are nought in every pull are left out"

    def test_wide_gives_every_count_and_cuts_nothing(self, mobility: Mobility, told: int) -> None:
        asked = mobility("fetches", "--wide", COLUMNS="80")
        assert self.MESSAGE.strip() in asked.stdout
        assert "withdrawn" in asked.stdout


class TestReview:
    """`mobility review`."""

    @pytest.fixture
    def case(self, warehouse: Engine) -> int:
        fetch_id = _fetch(warehouse, "loaded", "world_bank")
        with warehouse.begin() as connection:
            review_id: int = connection.execute(
                text("""
                    insert into quality.review (
                        suite, rule, asset, row_key, figure, compared_with, unit, reason, ask, fetch_ids,
                        is_synthetic, first_run_id, first_seen, last_run_id, last_seen
                    ) values (
                        'marts', 'collapsed', 'audit.remittances', '{"country_iso3": "PHL", "year": 2022}',
                        9.1e9, 36.7e9, 'current US dollars', 'a quarter of the year before', 'World Bank',
                        array[cast(:fetch_id as bigint)], false, 'run-1', now(), 'run-2', now()
                    ) returning review_id
                """),
                {"fetch_id": fetch_id},
            ).scalar_one()
        return review_id

    def test_a_case_is_listed_shown_and_resolved(self, mobility: Mobility, case: int) -> None:
        (row,) = json.loads(mobility("review", "list", "--format", "json").stdout)
        assert (row["id"], row["case"], row["figure"], row["ask"]) == (case, "PHL 2022", 9.1e9, "World Bank")
        assert "a quarter of the year before" in mobility("review", "list").stdout
        shown = mobility("review", "show", str(case)).stdout
        assert "9,100,000,000.0 against 36,700,000,000.0 current US dollars" in shown
        assert "world_bank observation" in shown

        resolved = mobility("review", "resolve", str(case), "--by", "A. Reviewer", "--why", "half a year")

        assert (resolved.returncode, resolved.stdout) == (0, f"case {case} is resolved\n")
        assert mobility("review", "list").stdout == "nothing is to be reviewed\n"
        (row,) = json.loads(mobility("review", "list", "--all", "--format", "json").stdout)
        assert row["status"] == "resolved"
        assert "resolved by A. Reviewer" in mobility("review", "show", str(case)).stdout
        again = mobility("review", "resolve", str(case), "--by", "B", "--why", "again")
        assert (again.returncode, again.stderr) == (1, f"Error: case {case} is resolved, not open\n")

    def test_an_unknown_case_is_an_error(self, mobility: Mobility) -> None:
        for arguments in (("show", "7"), ("resolve", "7", "--by", "me", "--why", "no")):
            asked = mobility("review", *arguments)
            assert (asked.returncode, asked.stderr) == (1, "Error: there is no case 7\n")


def test_a_mart_that_is_not_there_cannot_be_retired(mobility: Mobility) -> None:
    asked = mobility("retire", "nothing", "--by", "me", "--why", "no")
    assert (asked.returncode, asked.stderr) == (1, "Error: marts has no table nothing; it has none\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("trace", "remittances", "country_iso3=KEN"),
        ("what-changed",),
        ("quarantine", "list"),
        ("fetches",),
        ("as-of", "2026-01-01"),
        ("accept", "7", "--by", "me"),
        ("review", "list"),
        ("retire", "remittances", "--by", "me", "--why", "no"),
        ("sql", "select 1"),
        ("docs",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_database_that_is_not_deployed_is_said_with_what_to_do(
    arguments: tuple[str, ...], database: URL, tmp_path: Path
) -> None:
    asked = run_mobility(database, tmp_path, *arguments)
    assert asked.returncode == 1
    assert asked.stdout == ""
    assert asked.stderr == (
        "Error: the warehouse is not deployed in this database: run `mobility deploy` to make its tables and "
        "roles, or `mobility run` to fill them too\n"
    )


def test_a_database_of_an_earlier_version_is_said_with_what_to_do(
    mobility: Mobility, warehouse: Engine
) -> None:
    with warehouse.begin() as connection:
        connection.execute(text("drop table quality.review cascade"))
    asked = mobility("fetches")
    assert asked.returncode == 1
    assert asked.stderr == (
        "Error: the database was deployed by another version, it has no quality.review: "
        "run `mobility deploy`\n"
    )


def test_only_a_refused_fetch_can_be_accepted(mobility: Mobility, warehouse: Engine) -> None:
    unknown = mobility("accept", "999", "--by", "me")
    assert (unknown.returncode, unknown.stderr) == (
        1,
        "Error: there is no fetch 999; `mobility fetches` lists them\n",
    )
    loaded = _fetch(warehouse, "loaded")
    refused = mobility("accept", str(loaded), "--by", "me")
    assert refused.returncode == 1
    assert f"fetch {loaded} is loaded, not refused" in refused.stderr


class TestQuarantine:
    """`mobility quarantine`."""

    def test_an_empty_quarantine_says_so(self, mobility: Mobility) -> None:
        asked = mobility("quarantine", "list")
        assert (asked.returncode, asked.stdout) == (0, "no record is in quarantine\n")

    def test_a_record_is_listed_and_shown(self, mobility: Mobility, warehouse: Engine) -> None:
        fetch_id = _fetch(warehouse, "loaded")
        with warehouse.begin() as connection:
            quarantine_id: int = connection.execute(
                text(
                    "insert into quarantine.record "
                    "(fetch_id, source, resource, slice, record_no, field, reason, message, bytes) values "
                    "(:fetch, 'who_gho', 'observation', 'HWF_0001', 3, 'NumericValue', 'wrong_type', "
                    "'NumericValue is no number', :bytes) returning quarantine_id"
                ),
                {"fetch": fetch_id, "bytes": b'{"NumericValue": "many"}'},
            ).scalar_one()
        (row,) = json.loads(mobility("quarantine", "list", "--format", "json").stdout)
        assert (row["id"], row["field"], row["reason"]) == (quarantine_id, "NumericValue", "wrong_type")
        shown = mobility("quarantine", "show", str(quarantine_id))
        assert shown.returncode == 0
        assert "wrong_type: NumericValue is no number" in shown.stdout
        assert '{"NumericValue": "many"}' in shown.stdout

    def test_an_unknown_record_and_fetch_are_errors(self, mobility: Mobility) -> None:
        assert mobility("quarantine", "show", "7").stderr == "Error: there is no quarantined record 7\n"
        assert mobility("quarantine", "replay", "7").returncode == 1


def test_a_future_moment_cannot_be_rebuilt(mobility: Mobility) -> None:
    asked = mobility("as-of", "2999-01-01")
    assert asked.returncode == 1
    assert asked.stderr == "Error: 2999-01-01 lies in the future\n"


@pytest.mark.parametrize(
    "arguments", [("trace", "remittances", "country_iso3=KEN"), ("what-changed",), ("docs",)]
)
def test_before_the_first_publication_a_user_is_told_what_to_do(
    mobility: Mobility, arguments: tuple[str, ...]
) -> None:
    asked = mobility(*arguments)
    assert asked.returncode == 1
    assert asked.stderr == "Error: nothing was published yet; `mobility run` first\n"


def test_a_database_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    environment = {**clean_environment(tmp_path), "MOBILITY_DATABASE_URL": "postgresql://x:pw@127.0.0.1:1/x"}
    asked = subprocess.run(
        [MOBILITY, "fetches"], capture_output=True, text=True, check=False, env=environment
    )
    assert asked.returncode == 1
    assert asked.stderr.startswith("Error: ")
    assert "127.0.0.1" in asked.stderr
    assert "pw@" not in asked.stderr
    assert "Traceback" not in asked.stderr


def test_nothing_runs_in_a_fresh_home(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path)

    def ask(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [MOBILITY, command], capture_output=True, text=True, check=False, env=environment
        )

    status = ask("status")
    assert status.returncode == 1
    assert status.stdout.count("down") >= 3
    assert (ask("down").stdout, ask("down").returncode) == ("nothing was running\n", 0)


def test_pools_are_what_airflow_imports(mobility: Mobility) -> None:
    printed = json.loads(mobility("pools").stdout)
    assert {name: pool["slots"] for name, pool in printed.items()} == {
        source.pool: source.pool_slots for source in sources().values()
    }
