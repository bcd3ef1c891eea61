"""Which landed records a row of a mart rests on, as ``lineage.yml`` declares it."""

from __future__ import annotations

import functools
from pathlib import Path

import msgspec


class RecordLineage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One landed resource behind a mart.

    ``records`` is the version table in ``raw``. ``where`` is an SQL condition over ``mart`` (the mart's
    row) and ``record`` (a version that one of the row's ``fetch_ids`` brought): it narrows the fetch's
    records to those that the row was made of.
    """

    records: str
    where: str


@functools.cache
def declared_lineage() -> dict[str, tuple[RecordLineage, ...]]:
    """Lineage by mart. Raises msgspec.ValidationError when the file does not keep its form."""
    path = Path(__file__).with_name("lineage.yml")
    return msgspec.yaml.decode(path.read_bytes(), type=dict[str, tuple[RecordLineage, ...]])
