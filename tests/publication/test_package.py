"""A publication as files: what they hold, what they say of themselves, what must not be in them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars
import pytest
from frictionless import Package as Frictionless
from sqlalchemy import Engine, insert

from mobility_warehouse.database.tables import raw_fetch
from mobility_warehouse.publication.package import (
    PASSED_ON,
    PackageRefused,
    make_package,
    prune_packages,
)
from mobility_warehouse.publication.relations import read_relations
from mobility_warehouse.settings import Settings
from mobility_warehouse.sources.registry import sources
from mobility_warehouse.upkeep import package as package_of_upkeep

from .conftest import Audit

Build = Callable[..., None]
_TYPES = """
    create table audit.figure (
        code text, day date not null, amount numeric(8, 3), share double precision, is_late boolean,
        told_at timestamp without time zone, parties text[], fetch_ids bigint[] not null,
        is_synthetic boolean not null, primary key (code, day)
    )
"""
_ROWS = """
    insert into audit.figure values
        (
            'b "x", y' || chr(10) || 'z', '2024-02-29', 1.5, 0.1, true, '2024-01-01 10:00',
            '{"a,b",c}', '{}', false
        ),
        ('', '2024-01-01', null, null, null, null, null, '{}', false),
        ('Z', '2024-01-01', 0, 'NaN', false, '2024-01-01 10:00:00.5', '{}', '{}', true),
        ('a', '2024-01-01', -1, 1e-7, false, null, '{null}', '{}', false)
"""


def fetch(audit: Audit, source: str, *, synthetic: bool = False) -> int:
    """A loaded fetch of a source; its id."""
    values = {"source": source, "resource": "r", "slice": "s", "outcome": "loaded", "synthetic": synthetic}
    with audit.warehouse.begin() as connection:
        return int(
            connection.execute(insert(raw_fetch).values(values).returning(raw_fetch.c.fetch_id)).scalar_one()
        )


@pytest.fixture
def ready(audit: Audit) -> Audit:
    """audit holds the dimensions that a package needs: sources as declared and two countries."""
    audit.build(
        "create table audit.dim_source (source text primary key, title text, publisher text, licence text, "
        "licence_url text, attribution text, base_url text, is_synthetic boolean, fetch_ids bigint[])",
        "create table audit.dim_country "
        "(country_iso3 text primary key, is_synthetic boolean, fetch_ids bigint[])",
        "insert into audit.dim_country values ('IND', false, '{}'), ('GBR', false, '{}')",
        "comment on table audit.dim_country is 'One row per country'",
    )
    with audit.transform.begin() as connection:
        for source in sources().values():
            connection.exec_driver_sql(
                "insert into audit.dim_source values (%s, %s, %s, %s, %s, %s, %s, %s, '{}')",
                (
                    *(source.name, source.title, source.publisher, source.licence, source.licence_url),
                    *(source.attribution, source.default_base_url, source.synthetic),
                ),
            )
    return audit


def descriptor(path: Path) -> dict[str, Any]:
    """datapackage.json, the resources by name."""
    content: dict[str, Any] = json.loads((path / "datapackage.json").read_text(encoding="utf-8"))
    content["resources"] = {each["name"]: each for each in content["resources"]}
    return content


def test_files_hold_every_value_and_the_descriptor_proves_them(
    ready: Audit, density: Build, tmp_path: Path
) -> None:
    landed = fetch(ready, "world_bank")
    density(("IND", 2020, 7.35, [landed]), ("GBR", 2020, None, [landed]))
    ready.build(
        _TYPES,
        _ROWS,
        "alter table audit.density add foreign key (country_iso3) references audit.dim_country not enforced",
    )
    ready.publish()

    made = make_package(ready.publisher, tmp_path)

    assert made.path == tmp_path / "publication-1"
    assert [path.name for path in tmp_path.iterdir()] == ["publication-1"]
    told = descriptor(made.path)
    assert told["version"] == "1"
    assert told["$schema"].endswith("/2.0/datapackage.json")
    density_told = told["resources"]["density"]
    assert density_told["schema"]["primaryKey"] == ["country_iso3", "year"]
    assert density_told["schema"]["foreignKeys"] == [
        {"fields": ["country_iso3"], "reference": {"resource": "dim_country", "fields": ["country_iso3"]}}
    ]
    assert density_told["schema"]["fields"][2] == {
        "name": "value",
        "type": "number",
        "description": "Doctors per 10 000 population",
        "constraints": {"required": False},
    }
    assert density_told["sources"][0]["attribution"] == sources()["world_bank"].attribution
    assert [licence["name"] for licence in density_told["licenses"]] == ["CC-BY-4.0"]
    assert ready.rows("select content_hash from quality.publication_mart where mart = 'density'") == [
        (density_told["content_hash"],)
    ]
    for resource in told["resources"].values():
        content = (made.path / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert len(told["resources"]) + 1 == made.files

    assert (made.path / "figure.csv").read_bytes().count(b"\r\n") == 5
    with (made.path / "figure.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert rows == [
        ["", "2024-01-01", "", "", "", "", "", "[]", "false"],
        ["Z", "2024-01-01", "0.000", "NaN", "false", "2024-01-01T10:00:00.500000", "[]", "[]", "true"],
        ["a", "2024-01-01", "-1.000", "1e-07", "false", "", "[null]", "[]", "false"],
        [
            'b "x", y\nz',
            "2024-02-29",
            "1.500",
            "0.1",
            "true",
            "2024-01-01T10:00:00.000000",
            '["a,b","c"]',
            "[]",
            "false",
        ],
    ]
    frame = polars.read_parquet(made.path / "figure.parquet")
    assert frame.schema["amount"] == polars.Decimal(8, 3)
    assert frame.schema["parties"] == polars.List(polars.String)
    with ready.analyst.connect() as connection:
        expected = connection.exec_driver_sql(
            'select * from marts.figure order by code collate "C", day'
        ).all()
    assert str(frame.rows()) == str([tuple(row) for row in expected])
    assert frame["amount"].to_list() == [None, Decimal("0.000"), Decimal("-1.000"), Decimal("1.500")]


def test_the_package_is_valid_for_others(ready: Audit, density: Build, tmp_path: Path) -> None:
    density(("IND", 2020, 7.35, [fetch(ready, "world_bank")]), ("GBR", 2020, None, []))
    ready.build(
        "alter table audit.density add foreign key (country_iso3) references audit.dim_country not enforced"
    )
    ready.publish()
    made = make_package(ready.publisher, tmp_path)

    def faults() -> set[str]:
        package = Frictionless.from_descriptor(str(made.path / "datapackage.json"))
        for resource in list(package.resources):
            if resource.format != "csv":
                package.remove_resource(resource.name or "")
        return {error.type for task in package.validate().tasks for error in task.errors}

    assert faults() == set()
    # That it is looked at: a country that dim_country lacks, in a file that is not as proved.
    path = made.path / "density.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("GBR", "XXX"), encoding="utf-8")
    assert {"foreign-key", "hash-count"} <= faults()


def test_the_same_publication_gives_the_same_bytes(ready: Audit, density: Build, tmp_path: Path) -> None:
    density(*((f"A{number:02}", 2020, number / 7, [fetch(ready, "who_gho")]) for number in range(20)))
    ready.publish()
    first = make_package(ready.publisher, tmp_path / "first")
    ready.build("create table audit.kept as select * from audit.density order by random()")
    with ready.warehouse.begin() as connection:
        # The rows lie in another order now, and are the same.
        connection.exec_driver_sql("update marts.density set year = year")
    second = make_package(ready.publisher, tmp_path / "second")

    assert {path.name: path.read_bytes() for path in first.path.iterdir()} == {
        path.name: path.read_bytes() for path in second.path.iterdir()
    }
    assert make_package(ready.publisher, tmp_path / "first").repeated


def test_an_earlier_publication_is_packed_only_while_it_stands(
    ready: Audit, density: Build, tmp_path: Path
) -> None:
    density(("IND", 2020, 7.35, []))
    ready.publish()
    ready.publish()
    assert make_package(ready.publisher, tmp_path, 1).publication_id == 1

    density(("IND", 2020, 7.36, []))
    ready.publish()
    with pytest.raises(PackageRefused, match=r"publication 2 no longer stands: density changed since.*as-of"):
        make_package(ready.publisher, tmp_path, 2)
    assert make_package(ready.publisher, tmp_path, 1).repeated
    with pytest.raises(PackageRefused, match="no publication 9"):
        make_package(ready.publisher, tmp_path, 9)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["publication-1"]


def test_rows_that_may_not_be_passed_on_stay_in_the_warehouse(
    ready: Audit, density: Build, tmp_path: Path
) -> None:
    """Countries' own reports keep their terms; made-up ones, and what lies beside them, may go out."""
    real, invented = fetch(ready, "limesurvey"), fetch(ready, "limesurvey", synthetic=True)
    who = fetch(ready, "who_gho")
    density(
        ("AAA", 2020, 1, [real]),
        ("BBB", 2020, 2, [invented, who]),
        ("CCC", 2020, 3, [who]),
        ("DDD", 2020, 4, [who, real]),
        ("EEE", 2020, 5, []),
        # A fetch that nobody knows vouches for nothing.
        ("FFF", 2020, 6, [999]),
    )
    ready.publish()

    made = make_package(ready.publisher, tmp_path)

    told = descriptor(made.path)
    density_told = told["resources"]["density"]
    assert polars.read_parquet(made.path / "density.parquet")["country_iso3"].to_list() == [
        "BBB",
        "CCC",
        "EEE",
    ]
    assert (made.path / "density.csv").read_text(encoding="utf-8").count("\n") == 4
    assert (density_told["rows"], density_told["rows_withheld"]) == (3, 3)
    assert told["publication"]["marts_with_rows_withheld"] == ["density"]
    assert [(each["synthetic"], each["title"].split(":")[0]) for each in density_told["sources"]] == [
        (True, sources()["limesurvey"].title),
        (False, sources()["who_gho"].title),
    ]
    assert [each["name"] for each in density_told["licenses"]] == ["Apache-2.0", "CC-BY-NC-SA-3.0-IGO"]


def test_every_source_is_open_or_its_real_records_stay() -> None:
    closed = {source.name for source in sources().values() if source.licence not in PASSED_ON}
    assert closed == {"limesurvey", "national_reports", "stakeholders"}
    assert {source.licence for source in sources().values()} >= set(PASSED_ON)


def test_a_package_that_fails_half_way_leaves_nothing(
    ready: Audit, density: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    density(("IND", 2020, 7.35, []))
    ready.publish()

    def no_space(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(polars.DataFrame, "write_parquet", no_space)
    with pytest.raises(OSError, match="No space left"):
        make_package(ready.publisher, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_published_is_refused_and_upkeep_waits(warehouse: Engine, tmp_path: Path) -> None:
    audit = Audit(warehouse)
    with pytest.raises(PackageRefused, match="nothing is published yet"):
        make_package(audit.publisher, tmp_path)
    settings = Settings.from_environment({"MOBILITY_HOME": str(tmp_path)})
    assert package_of_upkeep(audit.publisher, settings) is None


def test_upkeep_packs_the_last_publication_once(ready: Audit, density: Build, tmp_path: Path) -> None:
    density(("IND", 2020, 7.35, []))
    ready.publish()
    settings = Settings.from_environment({"MOBILITY_HOME": str(tmp_path)})
    path = Path(package_of_upkeep(ready.publisher, settings) or "")
    assert path == tmp_path / "packages" / "publication-1"
    written = path.stat().st_mtime_ns
    assert package_of_upkeep(ready.publisher, settings) == str(path)
    assert path.stat().st_mtime_ns == written


def test_the_last_packages_are_kept(tmp_path: Path) -> None:
    for name in ("publication-2", "publication-10", "publication-9", "publication-mine", ".publication-11-x"):
        (tmp_path / name).mkdir()
    assert [path.name for path in prune_packages(tmp_path, keep=2)] == ["publication-2"]
    assert prune_packages(tmp_path, keep=2) == []
    assert {path.name for path in tmp_path.iterdir()} == {
        *("publication-9", "publication-10", "publication-mine", ".publication-11-x")
    }


def test_no_restricted_column_is_in_a_package(ready: Audit, density: Build) -> None:
    """Marts are all that is packed, and none has a column that a source declares restricted."""
    density(("IND", 2020, 7.35, []))
    ready.publish()
    with ready.publisher.connect() as connection:
        published = {
            name for mart in read_relations(connection, "marts").values() for name in mart.column_names
        }
    restricted = {
        column.name
        for source in sources().values()
        for resource in source.resources
        for column in resource.columns
        if column.restricted
    }
    assert restricted
    assert not restricted & published
