"""Hashes of keys and rows."""

from __future__ import annotations

import subprocess
import sys

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

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


@given(accounts=st.lists(st.text("abc", max_size=3), unique=True, max_size=40))
def test_sum_of_a_page_is_that_of_its_hashes(accounts: list[str]) -> None:
    """Modulo 2^128, so that pages add up to the pull whatever they hold; of none it is zero."""
    hashed, total = with_hashes(rows(*((account, 2020) for account in accounts)), ENTRY)
    assert total == sum(int.from_bytes(one) for one in hashed["content_hash"]) % 2**128


@given(notes=st.lists(st.none() | st.text("\x01a", max_size=3), min_size=2, unique=True, max_size=6))
def test_rows_that_differ_have_hashes_that_differ(notes: list[str | None]) -> None:
    """Also where a text is what null is written as."""
    frame = pl.DataFrame(
        [{"account": "A", "year": 1, "amount": 1.0, "note": note, "refreshed": None} for note in notes],
        schema=ENTRY.polars_schema,
    )
    hashed, _ = with_hashes(frame, ENTRY)
    assert hashed["content_hash"].n_unique() == len(notes)


_HASH = """
import sys
from tests.landing.test_hashing import ENTRY, rows, with_hashes
with_hashes(rows(("A", 2020)), ENTRY)
print("pyarrow.compute" in sys.modules)
"""


def test_hashing_loads_no_functions_of_pyarrow() -> None:
    """They take longer to load than most pulls, and polars loads them for an array that it knows."""
    done = subprocess.run([sys.executable, "-c", _HASH], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "False\n"
