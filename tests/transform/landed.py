"""Crafted versions in the raw tables, for builds whose every figure is known."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert, text

from mobility_warehouse.database.declared import version_table
from mobility_warehouse.database.tables import raw_fetch
from mobility_warehouse.sources.declaration import resource_of
from mobility_warehouse.sources.registry import sources


@dataclass(frozen=True)
class Landed:
    """Writes fetches and versions straight into the version tables, at moments of the test's choosing."""

    engine: Engine

    def fetch(self, source: str, resource: str, moment: datetime, *, synthetic: bool = False) -> int:
        """A loaded fetch; gives its id."""
        values = {
            "source": source,
            "resource": resource,
            "slice": "crafted",
            "synthetic": synthetic,
            "outcome": "loaded",
            "read": 0,
            "landed_at": moment,
        }
        with self.engine.begin() as connection:
            statement = insert(raw_fetch).values(values).returning(raw_fetch.c.fetch_id)
            return int(connection.execute(statement).scalar_one())

    def versions(
        self,
        source: str,
        resource: str,
        fetch_id: int,
        records: Sequence[Mapping[str, Any]],
        *,
        known_from: datetime,
        known_to: datetime | None = None,
    ) -> None:
        """One version a record, known from the one moment until the other."""
        declared = resource_of(sources()[source], resource)
        table = version_table(source, declared)
        rows = [
            {
                **{column.name: record.get(column.name) for column in declared.columns},
                "key_hash": _hash([record.get(name) for name in declared.key]),
                "content_hash": _hash(sorted(record.items())),
                "slice": "crafted",
                "fetch_id": fetch_id,
                "response_id": 0,
                "record_no": number,
                "fetched_from": known_from,
                "fetched_to": known_to or text("'infinity'"),
            }
            for number, record in enumerate(records)
        ]
        with self.engine.begin() as connection:
            for row in rows:
                connection.execute(insert(table).values(row))


def _hash(content: object) -> uuid.UUID:
    return uuid.UUID(bytes=hashlib.md5(repr(content).encode(), usedforsecurity=False).digest())


def observation(indicator: str, country: str, year: int, value: float, **others: Any) -> dict[str, Any]:
    """A record of the Global Health Observatory for a whole country and year."""
    return {
        "indicator_code": indicator,
        "spatial_dim_type": "COUNTRY",
        "spatial_dim": country,
        "time_dim_type": "YEAR",
        "time_dim": year,
        "value": str(value),
        "numeric_value": value,
        "date": "2022-01-10T09:00:00+01:00",
        **others,
    }


def gho_country(country: str, region: str) -> dict[str, Any]:
    """A record of the Global Health Observatory's list of countries."""
    return {"dimension": "COUNTRY", "code": country, "title": country, "parent_code": region}


def figure(indicator: str, iso2: str, iso3: str, year: int, value: float) -> dict[str, Any]:
    """A record of the World Bank."""
    return {
        "indicator_id": indicator,
        "country_id": iso2,
        "country_iso3": iso3,
        "country_name": iso3,
        "date": str(year),
        "value": value,
    }


def economy(iso2: str, iso3: str, region: str, income: str) -> dict[str, Any]:
    """A record of the World Bank's list of economies and aggregates."""
    return {
        "id": iso3,
        "iso2_code": iso2,
        "name": iso3,
        "region_id": region,
        "income_level_id": income,
        "lending_type_id": "IBD",
    }
