"""Generators that run in threads of their own, so that fetching, archiving, reading and storing overlap."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

Item = TypeVar("Item")


class Stopped(Exception):
    """Items are asked for that were told not to come: what came is not all."""


class Ahead(Generic[Item]):
    """Items of a generator that runs in a thread of its own, one item ahead of who takes them.

    What the generator raises is raised where its items are taken, and Stopped where it was told to stop
    before its end. At the end of the with block the generator is closed, in its own thread. A generator that
    takes its items from another one that runs ahead names it as ``source``, so that both are told to stop
    before either is waited for.
    """

    def __init__(
        self, items: Generator[Item, None, None], *, name: str, source: Ahead[Any] | None = None
    ) -> None:
        self._items = items
        self._source = source
        self._waiting: deque[Item] = deque()
        self._fault: BaseException | None = None
        self._is_whole = False
        self._ended = False
        self._stopped = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._thread.join()

    def __iter__(self) -> Iterator[Item]:
        while self.is_next_here(None) and self._waiting:
            with self._changed:
                item = self._waiting.popleft()
                self._changed.notify_all()
            yield item
        if self._fault is not None:
            raise self._fault
        if not self._is_whole:
            raise Stopped(f"{self._thread.name} was stopped before its end")

    def is_next_here(self, seconds: float | None = 0.0) -> bool:
        """Whether the next item, or the end, is there, or comes within so many seconds; None waits for it."""
        with self._changed:
            return self._changed.wait_for(
                lambda: bool(self._waiting) or self._ended or self._stopped, seconds
            )

    def _stop(self) -> None:
        if self._source is not None:
            self._source._stop()
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            with closing(self._items):
                for item in self._items:
                    with self._changed:
                        self._waiting.append(item)
                        self._changed.notify_all()
                        self._changed.wait_for(lambda: self._stopped or not self._waiting)
                        if self._stopped:
                            return
            self._is_whole = True
        except BaseException as fault:  # noqa: BLE001 - whoever takes the items raises it
            self._fault = fault
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()


@contextmanager
def quick_switches() -> Iterator[None]:
    """Let threads that wait for a network have the interpreter ten times as soon as they do by default.

    Each time that one of them takes it back from a thread that computes, it waits for up to this interval: a
    page takes a dozen such times.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
