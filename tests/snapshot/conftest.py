"""A replay server over the shipped snapshot, without faults at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.snapshot.store import Store, default_directory


@pytest.fixture(scope="session")
def running_server() -> Iterator[ReplayServer]:
    with ReplayServer() as server:
        yield server


@pytest.fixture
def replay(running_server: ReplayServer) -> Iterator[ReplayServer]:
    running_server.board.log.clear()
    yield running_server
    running_server.clear_faults()


@pytest.fixture
def client(replay: ReplayServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=replay.url, timeout=30) as http_client:
        yield http_client


@pytest.fixture(scope="session")
def store() -> Store:
    return Store(default_directory())
