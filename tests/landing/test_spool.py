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
    spool.add(pl.DataFrame({"a": [1]}))
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
        spool.add(frame)
        assert spool.frame(0).equals(frame)
        assert spool.frame(0, ["b"]).equals(frame.select("b"))
        assert spool.rows == 2
        assert len(folders(temporary)) == 1
    assert folders(temporary) == set()
    with pytest.raises(RuntimeError, match="with block"):
        Spool().add(frame)


def test_what_is_small_stays_in_memory_and_what_is_large_goes_to_disk(temporary: Path) -> None:
    small = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    large = pl.DataFrame({"a": pl.int_range(3_000_000, eager=True), "b": "x"})
    with Spool() as spool:
        for frame in (small, large, small):
            spool.add(frame)
        assert spool.frame(1).equals(large), "it is waited for"
        assert [file.name for file in temporary.glob("*/*.arrow")] == ["1.arrow"]
        assert spool.frame(0).equals(small)
        assert spool.frame(2, ["b"]).equals(small.select("b"))


def test_pages_that_were_not_kept_are_read_anew_once(temporary: Path) -> None:
    frames = [pl.DataFrame({"a": [number, number + 1], "b": ["x", None]}) for number in range(3)]
    asked: list[int] = []

    def again(number: int) -> pl.DataFrame:
        asked.append(number)
        return frames[number]

    with Spool(again=again) as spool:
        spool.pending = iter(frames)
        assert [frame.item(0, "a") for _, frame in spool.frames(keep=False)] == [0, 1, 2]
        assert not list(temporary.glob("*/*.arrow")), "nothing was put away"
        assert asked == []
        assert spool.frame(1, ["b"]).equals(frames[1].select("b"))
        assert all(spool.frame(number).equals(frame) for _ in range(2) for number, frame in enumerate(frames))
    assert asked == [1, 0, 2]


def test_pages_that_cannot_be_read_anew_are_kept(temporary: Path) -> None:
    frame = pl.DataFrame({"a": [1]})
    with Spool() as spool:
        spool.pending = iter([frame])
        assert len(list(spool.frames(keep=False))) == 1
        assert spool.frame(0).equals(frame)


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
