"""A small source of its own, landed by SQL, and rule files of its own, judged by the real gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from mobility_warehouse.database.deploy import deploy
from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.settings import Settings
from mobility_warehouse.sources.declaration import (
    Answer,
    Column,
    ColumnType,
    Conversation,
    Reading,
    Resource,
    Slice,
    SourceConnection,
)

OBSERVATION = Resource(
    name="observation",
    description="One value of one indicator.",
    key=("indicator", "country", "year"),
    columns=(
        Column("indicator", ColumnType.TEXT, "Code of the indicator", nullable=False),
        Column("country", ColumnType.TEXT, "ISO 3166-1 alpha-3", nullable=False),
        Column("year", ColumnType.INTEGER, "Calendar year", nullable=False),
        Column("value", ColumnType.FLOAT, "Value", unit="persons"),
        Column("kind", ColumnType.TEXT, "Kind of value", known_values=frozenset({"counted", "estimated"})),
        Column("refreshed", ColumnType.TEXT, "Refresh of the publisher", volatile=True),
    ),
)


@dataclass(slots=True)
class Office:
    """A statistical office that nobody asks over HTTP here."""

    name: str = "office"
    title: str = "Office"
    publisher: str = "Office"
    licence: str = "CC BY 4.0"
    licence_url: str = "https://creativecommons.org/licenses/by/4.0/"
    attribution: str = "Office"
    cadence: str = "yearly"
    schedule: str = "0 0 1 * *"
    pool: str = "office"
    pool_slots: int = 1
    default_base_url: str = "https://office.invalid"
    synthetic: bool = False
    modelled: bool = False
    resources: Sequence[Resource] = field(default=(OBSERVATION,))

    def slices(self) -> Sequence[Slice]:
        """Two indicators."""
        return (Slice("observation", "doctors"), Slice("observation", "nurses"))

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation:
        """Never held."""
        raise NotImplementedError

    def check(self, part: Slice, answer: Answer) -> None:
        """Never asked."""
        raise NotImplementedError

    def read(self, part: Slice, answer: Answer) -> Reading:
        """Never read."""
        raise NotImplementedError


def landing(indicator: str, *, read: int, inserted: int = 0, revised: int = 0) -> str:
    """The statement that logs a fetch of the office's figures that has landed."""
    return f"""
        insert into raw.fetch (
            source, resource, slice, synthetic, finished_at, landed_at, outcome,
            read, inserted, revised, unchanged, noise, duplicate, superseded, absent, quarantined
        ) values (
            'office', 'observation', '{indicator}', false, now(), now(), 'loaded',
            {read}, {inserted}, {revised}, 0, 0, 0, 0, 0, 0
        )
    """


class Landed:
    """The office's figures in raw: two per indicator, all in order, until a test breaks something."""

    def __init__(self, owner: Engine, settings: Settings) -> None:
        self.owner = owner
        self.settings = settings
        self.publisher = warehouse_engine("publisher", owner.url)
        self.transform = warehouse_engine("transform", owner.url)

    def run(self, *statements: str) -> None:
        """Run statements as the owner, with the constraints that a landing keeps out of the way."""
        with self.owner.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Rows of a query."""
        with self.owner.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def rules(self, path: str, content: str) -> None:
        """Write a file of rules."""
        file = self.settings.expectations_dir / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")


@pytest.fixture
def landed(database: URL, tmp_path: Path) -> Landed:
    owner = create_engine(database, poolclass=NullPool)
    deploy(owner, [Office()])
    settings = replace(
        Settings.from_environment({}), home=tmp_path / "home", expectations_dir=tmp_path / "expectations"
    )
    result = Landed(owner, settings)
    result.rules("row_counts.csv", "relation,part,min_rows,max_rows,counted_on,remark\n")
    result.rules(
        "golden_observations.csv",
        "relation,key,column,value,tolerance,vintage_column,vintage,checked_against\n",
    )
    for fetch_id, indicator in ((1, "doctors"), (2, "nurses")):
        result.run(
            landing(indicator, read=2, inserted=2),
            f"""
            insert into raw.response (
                fetch_id, response_no, url, status, headers, sha256, restricted, size_bytes,
                requested_at, elapsed_seconds
            ) values (
                {fetch_id}, 0, 'https://office.invalid/{indicator}', 200, '{{}}', '\\x00', false, 1, now(), 0
            )
            """,
            f"""
            insert into raw.office__observation (
                indicator, country, year, value, kind, refreshed,
                key_hash, content_hash, slice, fetch_id, response_id, record_no, fetched_from
            )
            select
                '{indicator}', country, 2020, {fetch_id} * 1000, 'counted', '2023-05-10',
                gen_random_uuid(), gen_random_uuid(), '{indicator}', {fetch_id}, {fetch_id}, number, now()
            from (values ('IND', 0), ('GBR', 1)) as given (country, number)
            """,
        )
    return result
