"""The registered sources with their fixtures, and one replay server for all."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest

from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import Source
from mobility_warehouse.sources.registry import sources
from tests.sources.contract import SourceFixture


@pytest.fixture(scope="session")
def replay_server() -> Iterator[ReplayServer]:
    with ReplayServer() as server:
        yield server


@pytest.fixture
def replay(replay_server: ReplayServer) -> Iterator[ReplayServer]:
    """The replay server without faults, before and after the test."""
    replay_server.clear_faults()
    yield replay_server
    replay_server.clear_faults()


@pytest.fixture(params=sorted(sources()))
def source(request: pytest.FixtureRequest) -> Source:
    return sources()[request.param]


@pytest.fixture
def fixture(source: Source) -> SourceFixture:
    module = import_module(f"tests.sources.fixtures_{source.name}")
    found: SourceFixture = module.FIXTURE
    return found
