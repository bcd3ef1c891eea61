"""Reports as files: what a form says becomes what the survey platform would have said, contacts apart."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.landing.pull import pull
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import Reading, SourceConnection
from mobility_warehouse.sources.http import Client, HttpSettings
from mobility_warehouse.sources.national_reports import SOURCE, items

ROOT = Path(__file__).parents[2]
(PART,) = SOURCE.slices()


def read(lines: str, name: str = "NRI_2012_KEN.csv") -> Reading:
    from datetime import UTC, datetime, timedelta

    from mobility_warehouse.sources.declaration import Answer, Request

    body = f"A title,,\nNumber,Question,Answer\n{lines}".encode()
    request = Request(f"http://127.0.0.1/national_reports/{name}")
    return SOURCE.read(PART, Answer(request, 200, {}, body, datetime.now(UTC), timedelta(0)))


def said(lines: str) -> dict[str, str | None]:
    frame = read(lines).frame
    return dict(frame.select("heading", "value").rows())


@pytest.mark.parametrize(
    ("word", "meant"), [("Yes", "Y"), ("OUI", "Y"), ("no", "N"), ("Нет", "N"), ("是", "Y")]
)
def test_yes_and_no_are_read_in_every_language_of_the_instrument(word: str, meant: str) -> None:
    assert said(f"2,Steps?,{word}\n") == {"impl_steps.any": meant}


def test_a_step_left_empty_says_nothing_and_one_denied_says_no() -> None:
    assert said("2a,,Yes\n2b,,No\n2c,,\n") == {
        "impl_steps.publicise": "Y",
        "impl_steps.law_policy": "",
        "impl_steps.consult": None,
    }


def test_other_questions_left_empty_are_empty_and_not_zero() -> None:
    assert said("2,,\n11a,,\n11c,,0\n") == {
        "impl_steps.any": "",
        "stock_origin.stock.221.total": "",
        "stock_origin.stock.221.foreign_trained": "0",
    }


def test_contacts_and_free_text_are_restricted() -> None:
    frame = read("1.3,,Jane Doe\n1.4,,jane@example.org\n10,,She said so\n1.5,,Yes\n").frame
    assert frame.select("value", "restricted_value").rows() == [
        (None, "Jane Doe"),
        (None, "jane@example.org"),
        (None, "She said so"),
        ("Y", None),
    ]


def test_no_message_repeats_a_restricted_answer() -> None:
    reading = read(f"1.4,,{'jane@example.org' * 700}\n1.3,,Jane Doe,and more\n11a,,many\n")
    assert [record.reason for record in reading.rejected] == ["overlong", "wrong_width", "wrong_type"]
    assert "jane" not in " ".join(record.message for record in reading.rejected).lower()


def test_the_country_is_that_of_the_file_and_must_be_known() -> None:
    reading = read("2,,Yes\n", "NRI_2012_QQQ.csv")
    assert [record.reason for record in reading.rejected] == ["unknown_country"]
    assert SOURCE.slice_of("NRI_2012_KEN.xlsx") == PART
    assert SOURCE.slice_of("Report of Kenya.xlsx") is None


def test_items_are_those_of_the_seed() -> None:
    with (ROOT / "dbt_project/seeds/nri/nri_report_question.csv").open(encoding="utf-8") as lines:
        seed = {
            row["heading"]: (row["value_kind"], row["restricted"] == "true") for row in csv.DictReader(lines)
        }
    assert seed == items()
    mapped = SOURCE.mappings["nri_2012"].tables[0].spec("heading").values
    assert mapped is not None
    assert set(mapped.values()) == set(seed)


def test_items_mean_what_the_survey_rounds_mean_by_them() -> None:
    def shared(name: str) -> set[tuple[str, ...]]:
        columns = (
            "canonical_item",
            "canonical_part",
            "code_article",
            "occupation_code",
            "measure",
            "value_kind",
        )
        with (ROOT / "dbt_project/seeds/nri" / name).open(encoding="utf-8") as lines:
            return {
                tuple(row[column] for column in (*columns, "restricted")) for row in csv.DictReader(lines)
            }

    assert shared("nri_report_question.csv") <= shared("nri_question.csv")


def test_a_contact_lands_in_the_restricted_schema_alone(warehouse: Engine) -> None:
    ingest = warehouse_engine("ingest", url=warehouse.url)
    with ReplayServer() as replay, Client(HttpSettings(tries=1)) as client:
        connection = SourceConnection(f"{replay.url}/national_reports")
        pull(ingest, SOURCE, PART, connection, client=client)
    ingest.dispose()
    with warehouse.connect() as connection_:
        fetches = connection_.execute(text("select outcome, synthetic, read from raw.fetch")).all()
        assert [tuple(row) for row in fetches] == [("loaded", True, 34)] * 12
        restricted = connection_.execute(
            text(
                "select restricted_value from restricted.national_reports__answer "
                "where restricted_value like '%@%'"
            )
        )
        assert len(restricted.all()) == 12
        for schema in ("raw", "quarantine"):
            tables: list[str] = list(
                connection_.execute(
                    text("select tablename from pg_tables where schemaname = :schema"), {"schema": schema}
                ).scalars()
            )
            for table in tables:
                found: int = connection_.execute(
                    text(
                        f"select count(*) from {schema}.{table} as row "
                        "where row::text like '%authority.example%'"
                    )
                ).scalar_one()
                assert found == 0, table
        assert connection_.execute(text("select count(*) from raw.body")).scalar_one() == 0
