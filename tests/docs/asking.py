"""Asks the questions of ``docs/analysis`` for tests, as an analyst does."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Engine

from mobility_warehouse.documents import asked, read_questions
from mobility_warehouse.settings import Settings

QUESTIONS = read_questions(Settings.from_environment().repository / "docs" / "analysis")


def answer(engine: Engine, name: str) -> list[dict[str, object]]:
    """The rows of a question's whole answer by column; decimals as float."""
    columns, rows = asked(engine, QUESTIONS[name])
    return [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]


def columns_of(rows: list[dict[str, object]], *columns: str) -> list[tuple[object, ...]]:
    """These columns of each row, in the order of the rows."""
    return [tuple(row[column] for column in columns) for row in rows]


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value
