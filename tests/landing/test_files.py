"""Files that people drop: each counts once, and none undoes a later one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from mobility_warehouse.database.deploy import deploy
from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.landing.pull import accept, pull, replay
from mobility_warehouse.landing.report import FetchReport, PullFailed, PullRefused
from mobility_warehouse.sources.declaration import (
    Column,
    ColumnType,
    Resource,
    Slice,
    SourceConnection,
)
from mobility_warehouse.sources.files import FileSource
from mobility_warehouse.sources.http import Client, HttpSettings
from mobility_warehouse.sources.inbox import FileTransport
from mobility_warehouse.sources.tables import FileMapping, load_mapping
from tests.conftest import create_database, drop_database

EDITION = Resource(
    name="edition",
    description="Posts by country; a file is a whole edition.",
    key=("country",),
    columns=(
        Column("country", ColumnType.TEXT, "Country", nullable=False),
        Column("posts", ColumnType.INTEGER, "Posts", unit="posts"),
    ),
    once=True,
)
REPORT = replace(
    EDITION, name="report", description="Posts by country; a file is one report.", complete_pulls=False
)


class Posts(FileSource):
    """Posts by country, dropped as CSV."""

    name = "posts"
    title = "Posts"
    publisher = "The tests"
    licence = "none"
    licence_url = "http://127.0.0.1/"
    attribution = "The tests"
    cadence = "now and then"
    schedule = "@daily"
    resources: Sequence[Resource] = (EDITION, REPORT)

    @cached_property
    def mappings(self) -> dict[str, FileMapping]:
        """One mapping a resource."""
        return {
            resource.name: load_mapping(
                resource.name,
                f"{{resource: {resource.name}, file: '{resource.name}.*[.]csv',"
                " tables: [{columns: {country: Country, posts: Posts}}]}",
            )
            for resource in self.resources
        }


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "posts").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def owner(postgres_url: URL) -> Iterator[Engine]:
    """One deployed database for these tests, emptied after each."""
    url = create_database(postgres_url)
    owner = create_engine(url, poolclass=NullPool)
    deploy(owner, [Posts()])
    yield owner
    owner.dispose()
    drop_database(postgres_url, url)


@pytest.fixture
def engine(owner: Engine) -> Iterator[Engine]:
    acting = warehouse_engine("ingest", url=owner.url)
    yield acting
    acting.dispose()
    with owner.begin() as connection:
        tables = ("raw.fetch", "raw.body", "raw.stale", "raw.posts__edition", "raw.posts__report")
        connection.execute(text(f"truncate {', '.join(tables)} restart identity cascade"))


Land = Callable[..., FetchReport]


@pytest.fixture
def land(engine: Engine, inbox: Path) -> Land:
    def land(resource: str = "edition") -> FetchReport:
        files = FileTransport(inbox, settle=timedelta(0))
        with Client(HttpSettings(tries=1), files=files) as client:
            connection = SourceConnection((inbox / "posts").as_uri())
            return pull(engine, Posts(), Slice(resource, resource), connection, client=client)

    return land


Drop = Callable[..., Path]


@pytest.fixture
def drop(inbox: Path) -> Drop:
    """Drop a file with those posts; each is newer than the one before."""

    def drop(name: str, **posts: object) -> Path:
        path = inbox / "posts" / name
        lines = [f"{country},{number}\n" for country, number in posts.items()]
        path.write_text("Country,Posts\n" + "".join(lines))
        return path

    return drop


def current(engine: Engine, table: str = "edition") -> dict[str, Any]:
    with engine.connect() as connection:
        rows = connection.execute(
            text(f"select country, posts from raw.posts__{table} where fetched_to = 'infinity'")
        )
        return {row.country: row.posts for row in rows}


def fetches(engine: Engine) -> list[tuple[str, int | None]]:
    with engine.connect() as connection:
        rows = connection.execute(text("select outcome, read from raw.fetch order by fetch_id"))
        return [(row.outcome, row.read) for row in rows]


def test_a_dropped_file_lands_with_its_bytes_and_where_it_lay(engine: Engine, land: Land, drop: Drop) -> None:
    path = drop("edition 1.csv", KEN=3, NAM=0)
    report = land()
    assert (report.outcome, report.inserted) == ("loaded", 2)
    assert current(engine) == {"KEN": 3, "NAM": 0}
    with engine.connect() as connection:
        row = connection.execute(text("select url, sha256 from raw.response")).one()
    assert row.url == "inbox:posts/edition%201.csv"
    assert bytes(row.sha256) == hashlib.sha256(path.read_bytes()).digest()


def test_an_empty_inbox_withdraws_nothing(engine: Engine, land: Land, drop: Drop) -> None:
    assert land().outcome == "unchanged"
    drop("edition.csv", KEN=3)
    land()
    for path in Path(drop("edition.csv", KEN=3)).parent.iterdir():
        path.unlink()
    assert (land().outcome, current(engine)) == ("unchanged", {"KEN": 3})


def test_a_file_counts_once_however_often_and_under_whatever_name_it_is_dropped(
    engine: Engine, land: Land, drop: Drop
) -> None:
    drop("edition 1.csv", KEN=3)
    land()
    drop("edition 1.csv", KEN=3)
    drop("edition 1 (copy).csv", KEN=3)
    report = land()
    assert (report.outcome, report.read, report.message) == ("unchanged", 0, "no new file")
    assert fetches(engine) == [("loaded", 1), ("unchanged", 0)]


def test_an_old_file_dropped_again_does_not_undo_a_newer_one(engine: Engine, land: Land, drop: Drop) -> None:
    drop("edition.csv", KEN=3, UGA=1)
    land()
    drop("edition.csv", KEN=4, UGA=1)
    land()
    drop("edition.csv", KEN=3, UGA=1)
    drop("edition again.csv", KEN=3, UGA=1)
    assert land().outcome == "unchanged"
    assert current(engine) == {"KEN": 4, "UGA": 1}


def test_an_old_file_dropped_again_does_not_undo_a_newer_one_that_waits(
    engine: Engine, land: Land, drop: Drop
) -> None:
    drop("edition 1.csv", KEN=3)
    land()
    drop("edition 2.csv", KEN=4)
    drop("edition 1.csv", KEN=3)
    land()
    assert current(engine) == {"KEN": 4}


def test_files_dropped_together_land_in_their_order_each_as_a_fetch(
    engine: Engine, land: Land, drop: Drop
) -> None:
    drop("edition b.csv", KEN=1, UGA=1)
    drop("edition a.csv", KEN=2, UGA=1)
    report = land()
    assert current(engine) == {"KEN": 2, "UGA": 1}
    assert fetches(engine) == [("loaded", 2), ("loaded", 2)]
    assert (report.revised, report.unchanged) == (1, 1)


def test_a_whole_edition_withdraws_what_it_no_longer_holds(engine: Engine, land: Land, drop: Drop) -> None:
    countries = {f"C{number:02}": number for number in range(30)}
    drop("edition.csv", **countries)
    land()
    del countries["C07"]
    drop("edition.csv", **countries)
    assert land().withdrawn == 1
    assert "C07" not in current(engine)


def test_a_report_of_one_country_leaves_the_others(engine: Engine, land: Land, drop: Drop) -> None:
    drop("report KEN.csv", KEN=3)
    drop("report UGA.csv", UGA=1)
    land("report")
    drop("report KEN.csv", KEN=4)
    assert land("report").withdrawn == 0
    assert current(engine, "report") == {"KEN": 4, "UGA": 1}


def test_a_bad_file_does_not_keep_later_ones_waiting_and_is_passed_over_once_one_landed(
    engine: Engine, land: Land, drop: Drop, inbox: Path
) -> None:
    (inbox / "posts" / "edition 1.csv").write_text("Land,Posts\nKEN,1\n")
    with pytest.raises(PullFailed, match=r"edition 1\.csv column Country: the heading is missing"):
        land()
    newer = drop("edition 2.csv", KEN=2)
    # The order of dropping is known to the second.
    while newer.stat().st_ctime < (inbox / "posts" / "edition 1.csv").stat().st_ctime + 1:
        newer = drop("edition 2.csv", KEN=2)
    with pytest.raises(PullFailed, match=r"edition 1\.csv"):
        land()
    assert current(engine) == {"KEN": 2}
    assert land().outcome == "unchanged"


def test_a_bad_report_is_named_at_every_pull_until_it_is_gone(
    engine: Engine, land: Land, drop: Drop, inbox: Path
) -> None:
    bad = inbox / "posts" / "report KEN.csv"
    bad.write_text("Land,Posts\nKEN,1\n")
    drop("report UGA.csv", UGA=1)
    for _ in range(2):
        with pytest.raises(PullFailed, match=r"report KEN\.csv"):
            land("report")
    assert current(engine, "report") == {"UGA": 1}
    bad.unlink()
    assert land("report").outcome == "unchanged"


def test_a_bad_record_is_quarantined_and_may_be_settled_by_its_own_country_alone(
    engine: Engine, land: Land, drop: Drop
) -> None:
    def open_records() -> list[str]:
        with engine.connect() as connection:
            query = "select message from quarantine.record where status = 'open'"
            return list(connection.execute(text(query)).scalars())

    drop("report KEN.csv", KEN="many", TZA=5)
    assert land("report").quarantined == 1
    drop("report UGA.csv", UGA=1)
    land("report")
    (message,) = open_records()
    assert "field Posts: expected an integer, got 'many' (file report KEN.csv row 2)" in message
    drop("report KEN.csv", KEN=7, TZA=5)
    land("report")
    assert open_records() == []
    assert current(engine, "report") == {"KEN": 7, "TZA": 5, "UGA": 1}


def test_a_refused_file_is_landed_by_whoever_accepts_it_and_then_counts_as_landed(
    engine: Engine, land: Land, drop: Drop
) -> None:
    drop("edition 1.csv", **{f"C{number:02}": number for number in range(20)})
    land()
    drop("edition 2.csv", C00=1)
    with pytest.raises(PullRefused) as refused:
        land()
    assert len(current(engine)) == 20
    accept(engine, Posts(), refused.value.report.fetch_id, accepted_by="a person")
    assert current(engine) == {"C00": 1}
    assert land().outcome == "unchanged"


def test_a_landed_file_can_be_read_again_after_later_looks_that_found_nothing(
    engine: Engine, land: Land, drop: Drop
) -> None:
    drop("edition.csv", KEN=3)
    first = land()
    land()
    assert replay(engine, Posts(), first.fetch_id).outcome == "unchanged"
    drop("edition.csv", KEN=4)
    land()
    with pytest.raises(ValueError, match="has landed since"):
        replay(engine, Posts(), first.fetch_id)


def test_bytes_that_are_not_what_was_listed_do_not_land(
    engine: Engine, inbox: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop("edition.csv", KEN=3)

    class Rewriting(FileTransport):
        """Somebody writes the file anew between listing and reading."""

        def handle_request(self, request: Any) -> Any:
            if not request.url.path.endswith("/"):
                path.write_text("Country,Posts\nKE")
            return super().handle_request(request)

    connection = SourceConnection((inbox / "posts").as_uri())
    with (
        Client(HttpSettings(tries=1), files=Rewriting(inbox, settle=timedelta(0))) as client,
        pytest.raises(PullFailed, match=r"edition\.csv is cut short, or changed since it was listed"),
    ):
        pull(engine, Posts(), Slice("edition", "edition"), connection, client=client)
    assert current(engine) == {}
    assert os.path.exists(path)
