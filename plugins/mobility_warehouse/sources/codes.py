"""The country and area codes that each source is known to use; another one is drift."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class CodeDrift:
    """How codes met compare with the reference: met but not known, and known but not met."""

    unknown: frozenset[str]
    unused: frozenset[str]


@cache
def known_codes(source: str, code_type: str) -> frozenset[str]:
    """The codes of that type that the committed reference of the source lists.

    The reference is ``reference/<source>_codes.csv`` beside this module, with the columns code_type,
    code and name. Raises KeyError where it lists no code of that type.
    """
    with (files(__package__) / "reference" / f"{source}_codes.csv").open(encoding="utf-8") as lines:
        codes = frozenset(row["code"] for row in csv.DictReader(lines) if row["code_type"] == code_type)
    if not codes:
        raise KeyError(f"the reference of {source} lists no codes of type {code_type}")
    return codes


@cache
def codes_by_name(source: str, code_type: str) -> dict[str, str]:
    """Code of each name that the reference of the source lists for that type; several names may have one.

    Raises KeyError where it lists none.
    """
    with (files(__package__) / "reference" / f"{source}_codes.csv").open(encoding="utf-8") as lines:
        codes = {row["name"]: row["code"] for row in csv.DictReader(lines) if row["code_type"] == code_type}
    if not codes:
        raise KeyError(f"the reference of {source} lists no codes of type {code_type}")
    return codes


def code_drift(source: str, code_type: str, met: Iterable[str]) -> CodeDrift:
    """Compare codes met with the reference, both ways."""
    known, seen = known_codes(source, code_type), frozenset(met)
    return CodeDrift(unknown=seen - known, unused=known - seen)
