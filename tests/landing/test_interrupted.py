"""A landing killed at any point leaves the previous state whole; run again, it ends as if undisturbed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from mobility_warehouse.database.deploy import deploy
from tests.landing.ledger import LedgerServer, LedgerSource, entry

PAGES, ROWS = 6, 1500

_LANDER = """
import sys
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from mobility_warehouse.landing.pull import pull
from mobility_warehouse.sources.declaration import Slice, SourceConnection
from mobility_warehouse.sources.http import Client
from tests.landing.ledger import LedgerSource

engine = create_engine(sys.argv[1], poolclass=NullPool)
print("ready", flush=True)
with Client() as client:
    pull(engine, LedgerSource(), Slice("entry", "all"), SourceConnection(sys.argv[2]), client=client)
"""


def pages(vintage: int) -> list[list[dict[str, object]]]:
    """Vintage 2 revises every 20th amount, drops every 50th key and adds a few."""
    result = []
    for page in range(PAGES):
        records = []
        for row in range(ROWS):
            number = page * ROWS + row
            if vintage == 2 and number % 50 == 0:
                continue
            amount = number + (0.5 if vintage == 2 and number % 20 == 1 else 0.0)
            records.append(entry(f"A{number:06}", amount=amount))
        if vintage == 2:
            records += [entry(f"B{page}{extra}", amount=float(extra)) for extra in range(10)]
        result.append(records)
    return result


def state(engine: Engine) -> str:
    """Hash of everything that a landing writes but its clock and its fetch ids."""
    with engine.connect() as connection:
        return str(
            connection.execute(
                text(
                    "select md5(string_agg(concat_ws('|', key_hash, content_hash, record_no, withdrawn, "
                    "fetched_to = 'infinity'), ',' order by key_hash, fetched_to)) from raw.ledger__entry"
                )
            ).scalar_one()
        )


def lander(url: URL, server: LedgerServer) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            _LANDER,
            url.render_as_string(hide_password=False),
            server.connection.base_url,
        ],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


def land(url: URL, server: LedgerServer) -> None:
    process = lander(url, server)
    process.communicate(timeout=120)
    assert process.returncode == 0


@pytest.mark.slow
def test_killed_at_ten_random_points(database: URL) -> None:
    engine = create_engine(database, poolclass=NullPool)
    chance = random.Random(20100521)
    with LedgerServer() as server:
        deploy(engine, [LedgerSource()])
        server.serve(*pages(1))
        land(database, server)
        before = state(engine)
        server.serve(*pages(2))
        started = time.monotonic()
        process = lander(database, server)
        assert process.stdout is not None
        process.stdout.readline()
        ready = time.monotonic() - started
        process.communicate(timeout=120)
        whole = time.monotonic() - started - ready
        after = state(engine)
        assert after != before

        with engine.begin() as connection:
            for table in ("ledger__entry", "stale"):
                connection.execute(text(f"truncate raw.{table}"))
        server.serve(*pages(1))
        land(database, server)
        assert state(engine) == before
        server.serve(*pages(2))
        seen = set()
        for _ in range(10):
            process = lander(database, server)
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0, whole))
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
            found = state(engine)
            assert found in (before, after)
            seen.add(found)
        land(database, server)
        assert state(engine) == after
        assert before in seen
        with engine.connect() as connection:
            outcomes = connection.execute(
                text("select outcome, count(*) from raw.fetch group by outcome")
            ).all()
        assert "running" not in {row.outcome for row in outcomes}
    engine.dispose()
