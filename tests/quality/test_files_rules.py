"""Rules on sources of files catch what they are for, each on records made for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from mobility_warehouse.quality.rules import read_rules

EXPECTATIONS = Path(__file__).parents[2] / "expectations" / "raw"

STOCK = {
    "revision": 2019,
    "year": 2019,
    "destination_code": "840",
    "origin_code": "608",
    "sex": "male",
    "migrants": 100,
}
WOMEN = {**STOCK, "sex": "female"}
ANSWER = {"round_year": 2012, "country_iso3": "KEN", "heading": "contact.member_state", "value": "Kenya"}


def _answers(**values: str) -> list[dict[str, Any]]:
    return [ANSWER, *({**ANSWER, "heading": name, "value": value} for name, value in values.items())]


def _stock(*parts: str) -> list[dict[str, Any]]:
    names = ("total", "domestically_trained", "foreign_trained", "unknown_training")
    headings = [f"stock_origin.stock.221.{name}" for name in names]
    return _answers(**dict(zip(headings, parts, strict=True)))


#: Rule, a batch that keeps it, a batch that breaks it.
CASES: dict[str, dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]]] = {
    "un_desa": {
        "year_within_revision": ([STOCK, WOMEN], [STOCK, {**WOMEN, "year": 2020}]),
        "both_sexes_of_every_year": ([STOCK, WOMEN], [STOCK]),
        "nobody_migrates_to_where_they_are_from": ([STOCK], [{**STOCK, "origin_code": "840"}]),
        "most_origins_are_known": (
            [STOCK, {**STOCK, "origin_code": "other_south", "migrants": 5}],
            [STOCK, {**STOCK, "origin_code": "other_south", "migrants": 50}],
        ),
    },
    "national_reports": {
        "report_names_its_country": ([ANSWER], [{**ANSWER, "value": ""}]),
        "restricted_items_stay_restricted": (
            [ANSWER, {**ANSWER, "heading": "contact.email", "value": None}],
            [ANSWER, {**ANSWER, "heading": "contact.email", "value": "synthetic"}],
        ),
        "place_of_training_adds_up": (_stock("100", "80", "15", "5"), _stock("100", "80", "15", "9")),
        "year_of_the_stock": (
            _answers(**{"stock_origin.year.221": "2010"}),
            _answers(**{"stock_origin.year.221": "1999"}),
        ),
    },
}


@pytest.mark.parametrize("source", sorted(CASES))
def test_each_rule_catches_what_it_is_for(source: str, postgres_url: URL) -> None:
    rules = {rule.rule: rule for rule in read_rules(EXPECTATIONS / f"{source}.yml")}
    assert set(rules) == set(CASES[source])
    engine = create_engine(postgres_url, poolclass=NullPool)
    with engine.connect() as connection:
        for name, batches in CASES[source].items():
            for batch, is_broken in zip(batches, (False, True), strict=True):
                columns = ", ".join(
                    f"{column} {'bigint' if isinstance(value, int) else 'text'}"
                    for column, value in batch[0].items()
                )
                connection.execute(text(f"create temporary table batch ({columns}) on commit drop"))
                places = ", ".join(f":{column}" for column in batch[0])
                connection.execute(text(f"insert into batch values ({places})"), batch)
                found = connection.execute(text(str(rules[name].query))).all()
                connection.rollback()
                assert bool(found) is is_broken, (name, found)
    engine.dispose()
