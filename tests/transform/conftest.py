"""One database with crafted versions at two moments, and one folder in which dbt keeps the parsed project."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from mobility_warehouse.settings import Settings
from mobility_warehouse.transform import DbtResult, build
from tests.transform.landed import Landed, economy, figure, gho_country, observation
from tests.transform.reports import REPORTS, land_contributions, land_reports, land_surveys
from tests.transform.training import land_training

FIRST = datetime(2024, 3, 1, tzinfo=UTC)
SECOND = datetime(2024, 9, 1, tzinfo=UTC)

MEMBERS = {"AGO": ("AO", "AFR"), "GBR": ("GB", "EUR"), "IDN": ("ID", "SEAR"), "NPL": ("NP", "SEAR")}


@pytest.fixture(scope="session")
def dbt_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose home is shared by all builds, so that the project is parsed once."""
    return Settings.from_environment({**os.environ, "MOBILITY_HOME": str(tmp_path_factory.mktemp("home"))})


@pytest.fixture(scope="session")
def manifest(dbt_settings: Settings) -> Path:
    """The parsed project."""
    from mobility_warehouse.transform import parse

    return parse(dbt_settings)


@pytest.fixture(scope="session")
def copy_database(postgres_url: URL, deployed_template: URL) -> Iterator[Callable[[], Engine]]:
    """Gives engines on fresh copies of a deployed warehouse, dropped at the end."""
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    made: list[Engine] = []

    def copy() -> Engine:
        name = f"dbt_{uuid.uuid4().hex[:12]}"
        with admin.connect() as connection:
            connection.execute(text(f"create database {name} template {deployed_template.database}"))
            # Grants on the database itself are no part of what a template gives.
            connection.execute(text(f"grant create, temporary on database {name} to transform"))
        made.append(create_engine(postgres_url.set(database=name), poolclass=NullPool))
        return made[-1]

    yield copy
    with admin.connect() as connection:
        for engine in made:
            connection.execute(text(f"drop database {engine.url.database} with (force)"))


#: What NORMLEX shows of two conventions: one row as reviewed, one of another day, one that nobody reviewed.
RATIFICATIONS: dict[str, list[dict[str, Any]]] = {
    "C149": [
        {"country": "Sweden", "ratified": "10 Jul 1978", "ratified_on": date(1978, 7, 10)},
        {"country": "Kenya", "ratified": "07 Jun 1990", "ratified_on": date(1990, 6, 7)},
        {"country": "Nepal", "ratified": "01 Feb 2024", "ratified_on": date(2024, 2, 1)},
    ],
    "C143": [{"country": "Benin", "ratified": "1980"}],
}


def land_first(landed: Landed) -> None:
    """Four Member States and one aggregate; at SECOND one figure is revised, one withdrawn, one new."""
    gho = landed.fetch("who_gho", "observation", FIRST)
    dimension = landed.fetch("who_gho", "dimension_value", FIRST)
    bank = landed.fetch("world_bank", "observation", FIRST)
    countries = landed.fetch("world_bank", "country", FIRST)
    uhc = {"AGO": 40.0, "GBR": 88.0, "IDN": 59.0, "NPL": 50.0}
    doctors = {"AGO": 2.0, "GBR": 30.0, "IDN": 6.0, "NPL": 8.0}
    nurses = {"AGO": 4.0, "GBR": 90.0, "IDN": 24.0, "NPL": 22.0}
    landed.versions(
        "who_gho",
        "observation",
        gho,
        [observation("HWF_0001", code, 2017, value) for code, value in doctors.items()]
        + [observation("HWF_0006", code, 2017, value) for code, value in nurses.items()]
        + [observation("UHC_INDEX_REPORTED", code, 2017, value) for code, value in uhc.items()]
        + [observation("HWF_0001", "AFR", 2017, 3.0, spatial_dim_type="REGION")],
        known_from=FIRST,
    )
    landed.versions(
        "who_gho",
        "observation",
        gho,
        [observation("HWF_0002", "AGO", 2017, 6000.0), observation("HWF_0002", "GBR", 2017, 190_000.0)],
        known_from=FIRST,
        known_to=SECOND,
    )
    landed.versions(
        "who_gho",
        "dimension_value",
        dimension,
        [gho_country(code, region) for code, (_, region) in MEMBERS.items()],
        known_from=FIRST,
    )
    landed.versions(
        "world_bank",
        "observation",
        bank,
        [
            figure("SP.POP.TOTL", "AO", "AGO", 2017, 30_000_000.0),
            figure("BX.TRF.PWKR.CD.DT", "AO", "AGO", 2017, 5_000_000.0),
            figure("NY.GDP.MKTP.CD", "AO", "AGO", 2017, 100_000_000.0),
            figure("BX.TRF.PWKR.CD.DT", "1W", "WLD", 2017, 600e9),
        ],
        known_from=FIRST,
    )
    landed.versions(
        "world_bank",
        "country",
        countries,
        [economy(iso2, code, "SSF", "LMC") for code, (iso2, _) in MEMBERS.items()]
        + [economy("1W", "WLD", "NA", "NA")],
        known_from=FIRST,
    )
    for instrument, rows in RATIFICATIONS.items():
        landed.versions(
            "ilo",
            "ratification",
            landed.fetch("ilo", "ratification", FIRST),
            [{"instrument": instrument, **row} for row in rows],
            known_from=FIRST,
        )
    revised = landed.fetch("who_gho", "observation", SECOND, synthetic=True)
    landed.versions(
        "who_gho",
        "observation",
        revised,
        [observation("HWF_0002", "AGO", 2017, 6600.0), observation("HWF_0002", "NPL", 2017, 25_000.0)],
        known_from=SECOND,
    )
    land_training(landed, FIRST)


@dataclass(frozen=True)
class Built:
    """A database with crafted versions, the result of its build at SECOND, and how to look and build."""

    engine: Engine
    result: DbtResult
    settings: Settings

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Rows of a query as the login user."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def build_as_of(self, moment: datetime, prefix: str, select: str) -> DbtResult:
        """Build models beside the current ones."""
        return build(
            self.engine.url,
            moment,
            schema_prefix=prefix,
            run_id="as-of",
            select=select,
            threads=2,
            settings=self.settings,
        )


@pytest.fixture(scope="session")
def built(copy_database: Callable[[], Engine], dbt_settings: Settings) -> Built:
    """The whole project built at SECOND with every test, on what was landed of some sources and nothing else.

    So every contract and every query holds also where a source was never pulled.
    """
    engine = copy_database()
    with engine.begin() as connection:
        land_surveys(connection)
        land_reports(connection, REPORTS)
        land_contributions(connection)
    land_first(Landed(engine))
    result = build(
        engine.url,
        SECOND,
        run_id="crafted",
        all_tests=True,
        threads=2,
        settings=dbt_settings,
    )
    return Built(engine, result, dbt_settings)
