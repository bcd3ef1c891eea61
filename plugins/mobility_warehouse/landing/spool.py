"""Pages of one pull, the first in memory, the others on disk: memory is bounded, however many a pull has."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import polars as pl

_PREFIX = "mobility-spool-"
_LOCK = "lock"
#: Seconds for which a folder is left alone: who has just made it may not have locked it yet.
_YOUNG = 3600.0
#: Bytes of frames that are held in memory. Most pulls are smaller, and nearly always what a refresh changed.
_HELD_BYTES = 16_000_000


class Stalled(Exception):
    """What is pending does not come in time."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records that were read together, with the responses that held them.

    Their frame is ``held``, or lies at ``path`` once ``written`` is done, or was not kept.
    """

    rows: int
    path: Path
    held: pl.DataFrame | None = field(default=None, repr=False, compare=False)
    written: Future[None] | None = None


@dataclass(slots=True)
class Spool:
    """Frames of a pull in a temporary folder that vanishes at the end of the with block.

    One that a killed pull left behind goes with the next pull, an hour later at the earliest.

    ``pending`` gives the frames that are still to be read; whoever asks for frames reads and spools them on
    the way. ``is_next_here`` tells whether the next one, or the end, can be had within so many seconds; None
    waits for it. ``again`` reads the frame of the page with that number anew, so that frames that hardly
    anybody asks for need not be kept; None where that cannot be.
    """

    pending: Iterator[pl.DataFrame] = field(default_factory=lambda: iter(()))
    is_next_here: Callable[[float | None], bool] = lambda seconds: True
    again: Callable[[int], pl.DataFrame] | None = None
    pages: list[Page] = field(default_factory=list)
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _lock: TextIO | None = None
    _writing: Future[None] | None = None
    _held_bytes: int = 0
    _writer: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="spool")
    )

    def __enter__(self) -> Self:
        _sweep()
        self._folder = tempfile.TemporaryDirectory(prefix=_PREFIX)
        self._lock = (Path(self._folder.name) / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.shutdown()
        if self._lock is not None:
            self._lock.close()
        if self._folder is not None:
            self._folder.cleanup()

    def add(self, frame: pl.DataFrame, *, keep: bool = True) -> None:
        """Put one page's hashed frame away, while the caller goes on; raises what the last one met with.

        Without ``keep``, one that can be read anew is only counted.
        """
        if self._folder is None:
            raise RuntimeError("the spool is used outside its with block")
        page = Page(frame.height, Path(self._folder.name) / f"{len(self.pages)}.arrow")
        self.pages.append(self._kept(page, frame) if keep or self.again is None else page)

    def _kept(self, page: Page, frame: pl.DataFrame) -> Page:
        size = int(frame.estimated_size())
        if self._held_bytes + size <= _HELD_BYTES:
            self._held_bytes += size
            return replace(page, held=frame)
        if self._writing is not None:
            # One at a time: frames that wait for the disk are not to pile up in memory.
            self._writing.result()
        self._writing = self._writer.submit(frame.write_ipc, page.path)
        return replace(page, written=self._writing)

    def read_pending(
        self, patience: float | None = None, *, keep: bool = True
    ) -> Iterator[tuple[int, pl.DataFrame]]:
        """Spool what is pending; gives page number and frame of each.

        Without ``keep``, frames that can be read anew are not put away. Raises Stalled where the next one
        does not come within ``patience`` seconds.
        """
        while self.is_next_here(patience):
            try:
                frame = next(self.pending)
            except StopIteration:
                return
            self.add(frame, keep=keep)
            yield len(self.pages) - 1, frame
        raise Stalled(f"nothing came for {patience} seconds")

    @property
    def rows(self) -> int:
        """Rows of all pages that have been read."""
        return sum(page.rows for page in self.pages)

    def frames(
        self, columns: Sequence[str] | None = None, *, patience: float | None = None, keep: bool = True
    ) -> Iterator[tuple[int, pl.DataFrame]]:
        """Page number and frame of each page, spooled or pending; one at a time beside those held.

        ``patience`` and ``keep`` are those of ``read_pending``.
        """
        for number in range(len(self.pages)):
            yield number, self.frame(number, columns)
        for number, frame in self.read_pending(patience, keep=keep):
            yield number, frame if columns is None else frame.select(columns)

    def frame(self, number: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The frame of one page, whole or only the named columns."""
        page = self.pages[number]
        if page.held is None and page.written is None and self.again is not None:
            # What is asked for once will be asked for again.
            page = self.pages[number] = self._kept(page, self.again(number))
        if page.held is not None:
            return page.held if columns is None else page.held.select(columns)
        if page.written is not None:
            page.written.result()
        return pl.read_ipc(page.path, columns=list(columns) if columns is not None else None)


def _sweep() -> None:
    """Remove folders of pulls that were killed: the system has given up their locks."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        # Another pull may be sweeping, too; and what other users left is theirs.
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime < _YOUNG:
                continue
            with (folder / _LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
