"""What the benchmarks of scale rest on: tables and columns that there are, and how a row's cost is judged."""

from __future__ import annotations

import csv

from benchmarks.enlarge import COUNTRIES, REFERENCE, RESPONSES
from benchmarks.scale import Measured, missed
from benchmarks.warehouse import COUNTS_OF_COUNTRIES, Cost
from mobility_warehouse.database.declared import table_name
from mobility_warehouse.quality.rules import read_rules
from mobility_warehouse.settings import Settings
from mobility_warehouse.sources.registry import sources

SETTINGS = Settings.from_environment({})


def test_countries_stand_in_landed_columns_of_text() -> None:
    declared = {
        table_name(source.name, resource): {
            column.name for column in resource.columns if column.type.value == "text"
        }
        for source in sources().values()
        for resource in source.resources
    }

    assert {table: set(columns) - declared[table] for table, columns in COUNTRIES.items()} == {
        table: set() for table in COUNTRIES
    }
    assert set(RESPONSES) <= declared.keys()


def test_every_reviewed_table_of_countries_is_enlarged() -> None:
    headings = {}
    for path in (SETTINGS.dbt_project_dir / "seeds").rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            headings[path.stem] = next(csv.reader(lines))

    assert {name: set(columns) - set(headings[name]) for name, columns in REFERENCE.items()} == {
        name: set() for name in REFERENCE
    }
    # A published figure is one statement, of one country or of all.
    assert {name for name, columns in headings.items() if "country_iso3" in columns} == {
        *REFERENCE,
        "published_figure",
    }


def test_rules_that_count_the_countries_are_rules_on_marts() -> None:
    files = (SETTINGS.expectations_dir / "marts").glob("*.yml")

    assert {rule.rule for path in files for rule in read_rules(path)} >= COUNTS_OF_COUNTRIES


def test_a_row_may_cost_a_fifth_more() -> None:
    def measured(factor: int, seconds: float, peak_mb: float) -> Measured:
        cost = Cost(seconds, seconds, peak_mb, 0, 0, {})
        return Measured(factor, 0, 1000 * factor, 0, {"build": cost})

    first = measured(1, 10, 100)

    assert missed([first, measured(10, 119, 1190)]) == []
    assert missed([first, measured(10, 121, 1190)]) == ["build at 10 times the rows: processor seconds"]
    assert missed([first, measured(10, 119, 1210)]) == ["build at 10 times the rows: memory"]
