"""A landing killed at any point leaves the previous state whole; run again, it ends as if undisturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from mobility_warehouse.database.deploy import deploy
from tests.landing.ledger import LedgerServer, LedgerSource, entry

PAGES, ROWS = 6, 1500

#: Forks a landing for each line that it reads, tells its process id, and, once it has ended, how.
_LANDER = """
import os, sys, traceback
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from mobility_warehouse.landing.pull import pull
from mobility_warehouse.sources.declaration import Slice, SourceConnection
from mobility_warehouse.sources.http import Client
from tests.landing.ledger import LedgerSource

def land():
    engine = create_engine(sys.argv[1], poolclass=NullPool)
    with Client() as client:
        pull(engine, LedgerSource(), Slice("entry", "all"), SourceConnection(sys.argv[2]), client=client)

while sys.stdin.readline():
    process = os.fork()
    if process == 0:
        try:
            land()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(process, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""


class Lander:
    """Lands in processes of their own, whose imports are done once."""

    def __init__(self, url: URL, server: LedgerServer) -> None:
        address = url.render_as_string(hide_password=False)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LANDER, address, server.connection.base_url],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self) -> int:
        """The process id of a landing that has begun."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._told()

    def ended(self) -> int:
        """The exit code of the landing, once it has ended."""
        return self._told()

    def _told(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def land(self) -> None:
        self.start()
        assert self.ended() == 0

    def close(self) -> None:
        self._process.communicate(timeout=30)


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


@pytest.mark.slow
def test_killed_at_ten_random_points(database: URL) -> None:
    engine = create_engine(database, poolclass=NullPool)
    chance = random.Random(20100521)
    with LedgerServer() as server, closing(Lander(database, server)) as lander:
        deploy(engine, [LedgerSource()])
        server.serve(*pages(1))
        lander.land()
        before = state(engine)
        server.serve(*pages(2))
        started = time.monotonic()
        lander.land()
        whole = time.monotonic() - started
        after = state(engine)
        assert after != before

        with engine.begin() as connection:
            for table in ("ledger__entry", "stale"):
                connection.execute(text(f"truncate raw.{table}"))
        server.serve(*pages(1))
        lander.land()
        assert state(engine) == before
        server.serve(*pages(2))
        seen = set()
        killed = 0
        for _ in range(10):
            process = lander.start()
            time.sleep(chance.uniform(0, whole))
            # One that has ended is still there to be killed, or gone just now.
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            killed += lander.ended() == -signal.SIGKILL
            found = state(engine)
            assert found in (before, after)
            seen.add(found)
        assert killed > 1
        lander.land()
        assert state(engine) == after
        assert before in seen
        with engine.connect() as connection:
            outcomes = connection.execute(
                text("select outcome, count(*) from raw.fetch group by outcome")
            ).all()
        assert "running" not in {row.outcome for row in outcomes}
    engine.dispose()
