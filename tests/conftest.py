"""A real PostgreSQL for every test that needs one; databases are copied from a deployed template."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool
from xdist.scheduler import LoadScopeScheduling

from tests.published import Published, published_snapshot

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")

_FAST_AND_LOSSY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_connections": "60",
}


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[URL]:
    """A PostgreSQL server of this test process: MOBILITY_TEST_DATABASE_URL, else an embedded one."""
    configured = os.environ.get("MOBILITY_TEST_DATABASE_URL")
    if configured:
        yield make_url(configured).set(drivername="postgresql+psycopg")
        return
    from mobility_warehouse.database.embedded import SUPERUSER, EmbeddedPostgres

    directory = Path(tempfile.mkdtemp(prefix="mobility-test-"))
    # The server's own account, where the tests run as root, must be able to pass.
    directory.chmod(0o711)
    server = EmbeddedPostgres(directory, settings=_FAST_AND_LOSSY)
    try:
        yield make_url(server.start().url(SUPERUSER, "postgres", driver="psycopg"))
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


class _Admin:
    """An autocommitting engine for CREATE and DROP DATABASE, disposed at the end."""

    def __init__(self, url: URL) -> None:
        self.engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def __enter__(self) -> Engine:
        return self.engine

    def __exit__(self, *_exc: object) -> None:
        self.engine.dispose()


def create_database(server: URL, template: str = "template1") -> URL:
    """A new database on that server, copied from the template."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    with _Admin(server) as admin, admin.connect() as connection:
        # Copied as files, which takes half the time of the default.
        connection.execute(text(f"create database {name} template {template} strategy file_copy"))
    return server.set(database=name)


def drop_database(server: URL, url: URL) -> None:
    """Drop a database, whoever is connected to it."""
    with _Admin(server) as admin, admin.connect() as connection:
        connection.execute(text(f"drop database if exists {url.database} with (force)"))


@pytest.fixture
def database(postgres_url: URL) -> Iterator[URL]:
    """A fresh, empty database of this test."""
    url = create_database(postgres_url)
    yield url
    drop_database(postgres_url, url)


@pytest.fixture(scope="session")
def deployed_template(postgres_url: URL) -> Iterator[URL]:
    """A database with every registered source deployed, copied by ``warehouse``; never written to."""
    from mobility_warehouse.database.deploy import deploy
    from mobility_warehouse.sources.registry import sources

    url = create_database(postgres_url)
    with _Admin(url) as _:
        engine = create_engine(url, poolclass=NullPool)
        deploy(engine, sources().values())
        engine.dispose()
    yield url
    drop_database(postgres_url, url)


@pytest.fixture
def warehouse(postgres_url: URL, deployed_template: URL) -> Iterator[Engine]:
    """An engine on a deployed warehouse of this test alone, as the login user."""
    from mobility_warehouse.database.roles import grant_all

    assert deployed_template.database is not None
    url = create_database(postgres_url, template=deployed_template.database)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        # Grants on the database itself do not travel with a template.
        grant_all(connection)
    yield engine
    engine.dispose()
    drop_database(postgres_url, url)


@pytest.fixture(scope="session")
def published() -> Iterator[Published]:
    """The shipped snapshot as the main job publishes it; its tests are ``_ONE_WORKER``'s."""
    with published_snapshot() as home:
        yield home


#: Files that share what takes long to build, in the order in which they run; the longest first.
_ONE_WORKER = {
    "published": (
        "tests/docs/test_worked_questions.py",
        "tests/docs/test_questions_",
        "tests/quality/test_data_contracts.py",
        "tests/docs/test_metrics.py",
        "tests/docs/test_relationships.py",
        "tests/runtime/test_main_job.py",
    ),
    "transform": ("tests/transform/",),
}


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each file to one worker, so that what its fixtures build is built once.

    What xdist itself offers for that, ``xdist_group``, has no effect under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return next((unit for unit, paths in _ONE_WORKER.items() if file.startswith(paths)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Whole files, in the order in which they were collected."""
    config.option.loadscopereorder = False
    return _ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run files with slow tests last, so that a simple mistake shows early; of these the longest first.

    So one worker begins with the longest while there is enough left for the other.
    """
    shared = [path for paths in _ONE_WORKER.values() for path in paths]
    for item in items:
        if "published" in getattr(item, "fixturenames", ()) and not item.nodeid.startswith(tuple(shared)):
            raise pytest.UsageError(f"{item.nodeid} uses `published`: list its file in _ONE_WORKER")
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def place(item: pytest.Item) -> int:
        of_these = (number for number, path in enumerate(shared, 1) if item.nodeid.startswith(path))
        return next(of_these, len(shared) + 1 if item.path in slow else 0)

    items.sort(key=place)
