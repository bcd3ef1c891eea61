"""The ledger, deployed on a database of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

from mobility_warehouse.database.deploy import deploy
from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.landing.pull import pull
from mobility_warehouse.landing.report import FetchReport
from mobility_warehouse.sources.declaration import Slice
from mobility_warehouse.sources.http import Client, HttpSettings
from tests.landing.ledger import LedgerServer, LedgerSource


@pytest.fixture
def ledger() -> LedgerSource:
    return LedgerSource()


@pytest.fixture
def server() -> Iterator[LedgerServer]:
    with LedgerServer() as running:
        yield running


@pytest.fixture
def engine(database: URL, ledger: LedgerSource) -> Iterator[Engine]:
    engine = create_engine(database, poolclass=NullPool)
    deploy(engine, [ledger])
    yield engine
    engine.dispose()


@pytest.fixture
def ingest(engine: Engine) -> Iterator[Engine]:
    """The engine that lands: it has the rights of the role ingest and no others."""
    acting = warehouse_engine("ingest", url=engine.url)
    yield acting
    acting.dispose()


@pytest.fixture
def land(ingest: Engine, ledger: LedgerSource, server: LedgerServer) -> Callable[..., FetchReport]:
    def land(resource: str = "entry") -> FetchReport:
        with Client(HttpSettings(tries=1)) as client:
            return pull(ingest, ledger, Slice(resource, "all"), server.connection, client=client)

    return land
