"""Hashes of keys and rows."""

from __future__ import annotations

import polars as pl

from mobility_warehouse.landing.hashing import key_hashes, with_hashes
from tests.landing.ledger import ENTRY


def rows(*values: tuple[str, int | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"account": account, "year": year, "amount": 1.0, "note": None, "refreshed": None}
            for account, year in values
        ],
        schema=ENTRY.polars_schema,
    )


def test_key_of_a_rejected_record_is_the_key_of_the_landed_one() -> None:
    hashed, _ = with_hashes(rows(("A", 2020), ("B", None)), ENTRY)
    assert key_hashes(ENTRY, [{"account": "A", "year": 2020}, {"account": "B", "year": None}]) == list(
        hashed["key_hash"].bin.encode("hex")
    )


def test_keys_that_cannot_be_read_have_no_hash_and_spoil_no_other() -> None:
    good = {"account": "A", "year": 2020}
    keys = [
        None,
        good,
        {"account": "A"},
        {"account": "A", "year": "MMXX"},
        good,
        {"account": 7, "year": 2020},
    ]
    (expected,) = key_hashes(ENTRY, [good])
    assert key_hashes(ENTRY, keys) == [None, expected, None, None, expected, None]


def test_sum_of_a_page_does_not_depend_on_its_order() -> None:
    _, one = with_hashes(rows(("A", 2020), ("B", None), ("C", 1)), ENTRY)
    _, other = with_hashes(rows(("C", 1), ("A", 2020), ("B", None)), ENTRY)
    assert one == other
