"""Generators that run ahead."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable

import pytest

from mobility_warehouse.landing.ahead import Ahead, Stopped


def count(closed: threading.Event, made: list[int]) -> Generator[int, None, None]:
    try:
        for number in range(1000):
            made.append(number)
            yield number
    finally:
        closed.set()


def doubled(numbers: Iterable[int]) -> Generator[int, None, None]:
    for number in numbers:
        yield 2 * number


def test_items_come_in_order_and_one_ahead_at_most() -> None:
    closed, made = threading.Event(), list[int]()
    with Ahead(count(closed, made), name="count") as ahead:
        items = iter(ahead)
        assert [next(items) for _ in range(3)] == [0, 1, 2]
        assert ahead.is_next_here(10)
        assert len(made) <= 5
    assert closed.is_set()


def test_all_items_of_a_chain_come_through() -> None:
    with (
        Ahead(count(threading.Event(), []), name="count") as numbers,
        Ahead(doubled(numbers), name="double", source=numbers) as ahead,
    ):
        assert list(ahead) == list(range(0, 2000, 2))
        assert ahead.is_next_here(0)


def test_a_fault_is_raised_behind_the_items_that_came_before_it() -> None:
    def faulty() -> Generator[int, None, None]:
        yield 1
        raise ValueError("two")

    with (
        Ahead(faulty(), name="faulty") as source,
        Ahead(doubled(source), name="double", source=source) as ahead,
    ):
        items = iter(ahead)
        assert next(items) == 2
        with pytest.raises(ValueError, match="two"):
            next(items)


def test_whoever_leaves_early_closes_a_chain_that_waits() -> None:
    closed, release = threading.Event(), threading.Event()

    def slow() -> Generator[int, None, None]:
        try:
            yield 1
            release.wait(30)
            yield 2
        finally:
            closed.set()

    with Ahead(slow(), name="slow") as source:
        with Ahead(doubled(source), name="double", source=source) as ahead:
            assert next(iter(ahead)) == 2
            assert not ahead.is_next_here(0.01)
        # The second waited for an item that had not come, and was let go.
        assert not closed.is_set()
        release.set()
    assert closed.is_set()


def test_items_that_were_told_not_to_come_do_not_pass_for_all() -> None:
    with Ahead(count(threading.Event(), []), name="count") as numbers:
        items = iter(numbers)
        next(items)
        with Ahead(doubled(numbers), name="double", source=numbers):
            pass
        with pytest.raises(Stopped, match="count"):
            list(items)
