"""From figures of marts back to the answers that they came in, over really landed records."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.database.roles import grant_all
from mobility_warehouse.landing.pull import pull
from mobility_warehouse.publication.lineage import declared_lineage
from mobility_warehouse.publication.trace import TraceError, archived_body, record_bytes, trace
from mobility_warehouse.settings import Settings
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import Slice
from mobility_warehouse.sources.http import Client
from mobility_warehouse.sources.registry import sources

from .conftest import Audit

PULLED = (
    ("who_gho", Slice("observation", "HWF_0001")),
    ("who_gho", Slice("observation", "HWF_0002")),
    ("world_bank", Slice("observation", "BX.TRF.PWKR.CD.DT")),
    ("limesurvey", Slice("response", "621962")),
)

#: Marts as dbt makes them, as far as a trace looks at them.
MARTS = (
    """
    create table audit.workforce_density as
    select
        spatial_dim as country_iso3, '221' as occupation_code, cast(time_dim as integer) as year,
        max(numeric_value) as density_published, array_agg(distinct fetch_id) as fetch_ids
    from raw.who_gho__observation
    where spatial_dim in ('GBR', 'IND') group by spatial_dim, time_dim
    """,
    "alter table audit.workforce_density add primary key (country_iso3, occupation_code, year)",
    """
    create table audit.remittances as
    select
        country_iso3, cast(date as integer) as year, 'received_usd' as measure, value,
        array[fetch_id] as fetch_ids
    from raw.world_bank__observation where country_iso3 in ('IND', 'PHL')
    """,
    "alter table audit.remittances add primary key (country_iso3, year, measure)",
    """
    create table audit.reporting as
    select
        answers ->> 'q1x1' as country_iso3, 2024 as round_year, survey_id,
        max(survey_response_id) as survey_response_id, array_agg(distinct fetch_id) as fetch_ids
    from raw.limesurvey__response where is_complete group by answers ->> 'q1x1', survey_id
    """,
    "alter table audit.reporting add primary key (country_iso3, round_year)",
    """
    create table audit.summary as
    select 'all' as grouping_value, array_agg(distinct fetch_id) as fetch_ids from raw.world_bank__observation
    """,
    "alter table audit.summary add primary key (grouping_value)",
)


@pytest.fixture(scope="module")
def some_marts(
    postgres_url: URL, deployed_template: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Audit]:
    """Pulled, built and published once; no test here changes what was published."""
    url = postgres_url.set(database="trace_" + uuid.uuid4().hex[:12])
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text(f"create database {url.database} template {deployed_template.database}"))
    owner = create_engine(url, poolclass=NullPool)
    audit = Audit(owner)
    with owner.begin() as connection:
        grant_all(connection)
    home = str(tmp_path_factory.mktemp("home"))
    with ReplayServer() as replay, Client() as client:
        settings = Settings.from_environment(
            {**os.environ, "MOBILITY_REPLAY_URL": replay.url, "MOBILITY_HOME": home}
        )
        for name, part in PULLED:
            source = sources()[name]
            pull(
                warehouse_engine("ingest", url), source, part, settings.connection_for(source), client=client
            )
    audit.build(*MARTS)
    audit.publish()
    yield audit
    owner.dispose()
    with server.connect() as connection:
        connection.execute(text(f"drop database {url.database} with (force)"))
    server.dispose()


def key_of(audit: Audit, mart: str, where: str) -> dict[str, Any]:
    ((row,),) = audit.rows(f"select to_jsonb(mart) from marts.{mart} as mart where {where} limit 1")
    columns = {"reporting": ("country_iso3", "round_year")}[mart]
    return {column: row[column] for column in columns}


def bodies_of(audit: Audit, role: str | None = None) -> Engine:
    return warehouse_engine(role, audit.warehouse.url)


def test_an_analyst_sees_where_a_figure_came_from(some_marts: Audit) -> None:
    key = {"country_iso3": "GBR", "occupation_code": "221", "year": "2020"}

    found = trace(some_marts.analyst, "workforce_density", key)

    assert found.row["year"] == 2020
    assert [(record.slice, record.status) for record in found.records] == [
        ("HWF_0001", 200),
        ("HWF_0002", 200),
    ]
    density = found.records[0]
    assert density.record is not None
    assert (density.record["spatial_dim"], density.record["time_dim"]) == ("GBR", 2020)
    assert density.record["numeric_value"] == 30.04
    assert "fetched_to" not in density.record
    assert density.url.endswith("/HWF_0001?$count=true")


def test_a_figure_is_traced_to_its_bytes(some_marts: Audit) -> None:
    key = {"country_iso3": "IND", "year": 2021, "measure": "received_usd"}
    (record,) = trace(some_marts.analyst, "remittances", key).records
    reader = bodies_of(some_marts, "ingest")

    body, own = archived_body(reader, record), record_bytes(reader, record)

    assert hashlib.sha256(body).hexdigest() == record.sha256
    assert own in body
    content = json.loads(own)
    assert (content["countryiso3code"], content["date"]) == ("IND", "2021")
    ((value,),) = some_marts.rows(
        "select value from marts.remittances where country_iso3 = 'IND' and year = 2021"
    )
    assert content["value"] == value


@pytest.mark.parametrize("name", ["who_gho", "world_bank", "limesurvey"])
def test_every_landed_record_is_found_in_its_answer(some_marts: Audit, name: str) -> None:
    mart, key = {
        "who_gho": ("workforce_density", {"country_iso3": "IND", "occupation_code": "221", "year": 2018}),
        "world_bank": ("remittances", {"country_iso3": "PHL", "year": 2020, "measure": "received_usd"}),
        "limesurvey": ("reporting", key_of(some_marts, "reporting", "survey_response_id is not null")),
    }[name]
    reader = bodies_of(some_marts)

    for record in trace(some_marts.analyst, mart, key).records:
        content = json.loads(record_bytes(reader, record))
        assert record.record is not None
        if name == "who_gho":
            assert content["NumericValue"] == record.record["numeric_value"]
        elif name == "world_bank":
            assert content["value"] == record.record["value"]
        else:
            assert int(content["id"]) == record.record["survey_response_id"]
            assert content["q1x1"] == key["country_iso3"]


def test_restricted_bodies_are_for_the_secretariat_alone(some_marts: Audit) -> None:
    key = key_of(some_marts, "reporting", "survey_response_id is not null")
    (record,) = trace(some_marts.analyst, "reporting", key).records

    assert record.restricted
    assert record.record is not None
    assert not {"token", "restricted_answers"} & record.record.keys()
    for role in ("analyst", "bi_reader", "transform", "publisher"):
        with pytest.raises(TraceError, match="readable by the role secretariat alone"):
            archived_body(bodies_of(some_marts, role), record)
    assert record_bytes(bodies_of(some_marts, "secretariat"), record)


def test_bodies_are_not_for_analysts(some_marts: Audit) -> None:
    key = {"country_iso3": "IND", "year": 2021, "measure": "received_usd"}
    (record,) = trace(some_marts.analyst, "remittances", key).records

    with pytest.raises(TraceError, match="readable by roles with rights on raw"):
        archived_body(some_marts.analyst, record)
    with pytest.raises(ProgrammingError, match="permission denied"), some_marts.analyst.connect() as analyst:
        analyst.execute(text("select * from raw.world_bank__observation"))


def test_a_mart_without_declared_records_shows_its_answers(some_marts: Audit) -> None:
    found = trace(some_marts.analyst, "summary", {"grouping_value": "all"})

    assert [(record.slice, record.record_no) for record in found.records] == [("BX.TRF.PWKR.CD.DT", None)]
    with pytest.raises(TraceError, match="rests on the whole answer"):
        record_bytes(some_marts.warehouse, found.records[0])


def test_the_records_are_those_that_were_published(some_marts: Audit) -> None:
    """What is landed after a publication is not where its figures came from."""
    key = {"country_iso3": "IND", "year": 2021, "measure": "received_usd"}
    before = trace(some_marts.analyst, "remittances", key)
    with some_marts.warehouse.begin() as connection:
        connection.execute(
            text("""
                with closed as (
                    update raw.world_bank__observation set fetched_to = clock_timestamp()
                    where country_iso3 = 'IND' and date = '2021' returning *
                )
                insert into raw.world_bank__observation
                select (jsonb_populate_record(
                    cast(null as raw.world_bank__observation),
                    to_jsonb(closed) || jsonb_build_object(
                        'value', 1, 'fetched_from', closed.fetched_to, 'fetched_to', 'infinity'
                    )
                )).* from closed
            """)
        )

    assert trace(some_marts.analyst, "remittances", key).records == before.records


@pytest.mark.parametrize(
    ("mart", "key", "message"),
    [
        ("nothing", {"id": 1}, "marts has no mart nothing"),
        ("remittances; drop table marts.remittances", {"id": 1}, "marts has no mart"),
        ("remittances", {"country_iso3": "IND"}, "is named by country_iso3, year, measure"),
        ("remittances", {"country_iso3": "XXX", "year": 1, "measure": "none"}, "has no row"),
        ("remittances", {"country_iso3": "IND", "year": "MMXX", "measure": "x"}, "invalid input syntax"),
    ],
)
def test_what_cannot_be_traced_is_said(
    some_marts: Audit, mart: str, key: dict[str, Any], message: str
) -> None:
    with pytest.raises(TraceError, match=message):
        trace(some_marts.analyst, mart, key)


def test_every_mart_with_figures_declares_its_records() -> None:
    models = Settings.from_environment({}).dbt_project_dir / "models" / "marts"
    marts = {
        model["name"]
        for file in models.rglob("*.yml")
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", [])
    }
    # Seeds made them, or all reports of a round, or the figures of all countries.
    without_records = {
        "dim_code_article",
        "dim_code_version",
        "dim_country_by_date",
        "dim_country_list",
        "dim_indicator",
        "dim_isco_08",
        "dim_monitored_article",
        "dim_occupation",
        "dim_round",
        "dim_source",
        "monitoring_summary",
        "published_figures",
    }

    assert marts - without_records == declared_lineage().keys()
