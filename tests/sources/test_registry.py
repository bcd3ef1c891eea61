"""The registry and the reference of codes."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.codes import CodeDrift, code_drift, known_codes
from mobility_warehouse.sources.declaration import Slice, Source, resource_of
from mobility_warehouse.sources.registry import sources
from tests.sources.contract import pull
from tests.sources.fixtures_who_gho import FIXTURE as WHO_GHO
from tests.sources.fixtures_world_bank import FIXTURE as WORLD_BANK


def test_every_module_with_a_source_is_registered_under_its_name() -> None:
    found = sources()
    assert {"who_gho", "world_bank"} <= set(found)
    assert all(name == source.name and isinstance(source, Source) for name, source in found.items())
    assert list(found) == sorted(found)


def test_resources_are_found_by_name() -> None:
    assert resource_of(sources()["who_gho"], "observation").key[0] == "indicator_code"
    with pytest.raises(KeyError, match="source who_gho has no resource nothing"):
        resource_of(sources()["who_gho"], "nothing")


@pytest.mark.parametrize("source", ["who_gho", "world_bank"])
def test_the_reference_lists_each_code_once_with_its_name(source: str) -> None:
    reference = files("mobility_warehouse.sources") / "reference" / f"{source}_codes.csv"
    with reference.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len({(row["code_type"], row["code"]) for row in rows}) == len(rows)
    assert all(row["code"] and row["name"] for row in rows)


def test_a_type_without_codes_is_an_error() -> None:
    with pytest.raises(KeyError, match="the reference of who_gho lists no codes of type MOON"):
        known_codes("who_gho", "MOON")


def test_codes_are_compared_both_ways() -> None:
    known = known_codes("who_gho", "REGION")
    drift = code_drift("who_gho", "REGION", {*known - {"AFR"}, "XYZ"})
    assert drift == CodeDrift(unknown=frozenset({"XYZ"}), unused=frozenset({"AFR"}))


def test_unused_codes_are_those_that_the_publishers_lists_leave_out(replay: ReplayServer) -> None:
    """Grows when the reference lists what no publisher uses; a code that comes into use leaves the list."""
    world_bank = pull(sources()["world_bank"], Slice("country", "all"), WORLD_BANK.connection(replay.url))
    drift = code_drift("world_bank", "iso3", world_bank.frame["id"])
    assert drift.unknown == set()
    assert drift.unused.isdisjoint({"COL", "WLD", "XKX", "EUU"})
    gho = pull(sources()["who_gho"], Slice("dimension_value", "REGION"), WHO_GHO.connection(replay.url))
    assert code_drift("who_gho", "REGION", gho.frame["code"]).unknown == set()
