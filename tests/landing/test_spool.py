"""Where a pull keeps its pages while it runs, and what is left of one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest

from mobility_warehouse.landing.spool import Spool

_PULL = """
import sys
import polars as pl
from mobility_warehouse.landing.spool import Spool
with Spool() as spool:
    spool.add(pl.DataFrame({"a": [1]}), 1, 0)
    print("here", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of this process and of those that it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def folders(temporary: Path) -> set[Path]:
    return set(temporary.glob("mobility-spool-*"))


def grow_old(temporary: Path) -> None:
    for folder in folders(temporary):
        os.utime(folder, (0, 0))


def test_pages_are_given_back_and_gone_at_the_end(temporary: Path) -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    with Spool() as spool:
        spool.add(frame, 7, 0)
        assert spool.frame(0).equals(frame)
        assert spool.frame(0, ["b"]).equals(frame.select("b"))
        assert spool.rows == 2
        assert len(folders(temporary)) == 1
    assert folders(temporary) == set()
    with pytest.raises(RuntimeError, match="with block"):
        Spool().add(frame, 7, 0)


def test_what_a_killed_pull_left_goes_with_the_next_and_what_a_running_one_needs_stays(
    temporary: Path,
) -> None:
    pulls = [
        subprocess.Popen(
            [sys.executable, "-c", _PULL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for pull in pulls:
        assert pull.stdout is not None
        assert pull.stdout.readline() == "here\n"
    killed, running = pulls
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    assert len(folders(temporary)) == 2
    with Spool():
        assert len(folders(temporary)) == 3, "what is young is left alone"
    grow_old(temporary)
    with Spool():
        assert len(folders(temporary)) == 2, "of the running one, and its own"
    running.communicate(timeout=30)
    assert running.returncode == 0
    assert folders(temporary) == set()
