"""Rules as the files of ``expectations/`` state them; none needs Great Expectations to be read."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mobility_warehouse.quality.results import Severity

#: A setting of the sessions that judge. A rule reads tables whole, and the planner, which takes conditions on
#: several columns of one table for independent, would look through all of one for each row of another.
WITHOUT_NESTED_LOOPS = "enable_nestloop=off"

#: How queries of rules ask for what is known now.
_CURRENT_VERSION = re.compile(r"(?P<of>(?:\w+\.)?)\bfetched_to = 'infinity'")
_LANDED_BY_NOW = re.compile(r"\blanded_at <= 'infinity'")


class RuleError(ValueError):
    """A rule file that does not keep its form; names the file and the rule."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule on one asset.

    Either ``query`` (SQL that gives the rows at fault; the asset's rows are the relation ``batch``) or
    ``expect`` (a class of Great Expectations, with its ``options``).

    A rule of severity ``review`` finds cases that no rule can decide. It states whom to ``ask`` (an office or
    role), the ``key`` columns that name a case and the ``unit`` of its two figures; its query also gives
    ``figure``, ``compared_with``, ``reason``, ``fetch_ids`` and ``is_synthetic``.
    """

    rule: str
    asset: str
    severity: Severity
    description: str
    query: str | None = None
    expect: str | None = None
    options: dict[str, Any] = {}
    ask: str | None = None
    key: tuple[str, ...] = ()
    unit: str | None = None

    def __post_init__(self) -> None:
        if (self.query is None) == (self.expect is None):
            raise ValueError(f"rule {self.rule} needs either query or expect")
        if self.query is not None and not re.search(r"\bbatch\b", self.query):
            raise ValueError(f"rule {self.rule}: the query does not read batch")
        stated = (self.query is not None, self.ask, self.key, self.unit)
        if self.severity == "review" and not all(stated):
            raise ValueError(f"rule {self.rule} is for review: it needs query, ask, key and unit")
        if self.severity != "review" and any(stated[1:]):
            raise ValueError(f"rule {self.rule}: ask, key and unit are for severity review alone")
        if self.ask is not None and "@" in self.ask:
            raise ValueError(f"rule {self.rule}: ask names an office or role, never a person or address")


@dataclass(frozen=True, slots=True)
class Suite:
    """Rules judged together, by asset: the query whose rows are judged, and the table that it reads."""

    name: str
    batches: Mapping[str, str]
    tables: Mapping[str, str]
    rules: tuple[Rule, ...]


def known_at(suite: Suite, moment: datetime | None) -> Suite:
    """The suite on raw as it was known at the moment, where its queries ask for current versions.

    What a gate judges is what its candidate is built on, whatever has landed since. None leaves it as it is.
    """
    if moment is None:
        return suite
    literal = f"timestamptz '{moment.isoformat()}'"

    def put(query: str) -> str:
        versions = rf"(\g<of>fetched_from <= {literal} and \g<of>fetched_to > {literal})"
        return _LANDED_BY_NOW.sub(f"landed_at <= {literal}", _CURRENT_VERSION.sub(versions, query))

    return replace(
        suite,
        batches={asset: put(query) for asset, query in suite.batches.items()},
        rules=tuple(
            rule if rule.query is None else msgspec.structs.replace(rule, query=put(rule.query))
            for rule in suite.rules
        ),
    )


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Rules of a YAML file; none where there is no file. Raises RuleError."""
    if not path.is_file():
        return ()
    try:
        rules = msgspec.yaml.decode(path.read_bytes(), type=tuple[Rule, ...])
    except msgspec.DecodeError as error:
        raise RuleError(f"{path}: {error}") from error
    names = [(rule.asset, rule.rule) for rule in rules]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RuleError(f"{path}: stated twice: {twice}")
    return rules


class RowCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reviewed band of row counts. ``part`` is a slice of a resource, empty for a whole mart."""

    relation: str
    part: str
    min_rows: int
    max_rows: int
    counted_on: date
    remark: str


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value checked by hand against the publisher.

    ``key`` is a JSON object of columns and values that name one row of ``relation``. ``vintage`` is the
    start of that row's ``vintage_column``: a row of that refresh must hold ``value`` within ``tolerance``
    (a share of it); a row of a later refresh may have been revised by the publisher.
    """

    relation: str
    key: str
    column: str
    value: float
    tolerance: float
    vintage_column: str
    vintage: str
    checked_against: str

    @property
    def key_values(self) -> dict[str, str]:
        """Columns and values of the key."""
        return msgspec.json.decode(self.key, type=dict[str, str])


_Row = TypeVar("_Row", bound=msgspec.Struct)


def read_table(path: Path, row: type[_Row]) -> tuple[_Row, ...]:
    """Rows of a CSV file as ``row``; RuleError where a field does not keep its type."""
    with path.open(encoding="utf-8", newline="") as file:
        try:
            return tuple(msgspec.convert(list(csv.DictReader(file)), type=list[row], strict=False))  # type: ignore[valid-type]
        except msgspec.ValidationError as error:
            raise RuleError(f"{path}: {error}") from error
