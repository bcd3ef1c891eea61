"""The contract that every registered source keeps, over its real client and a real local server."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from croniter import croniter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobility_warehouse.settings import REPLAY_URL_VARIABLE, Settings
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import (
    ColumnType,
    Request,
    Source,
    SourceConnection,
    SourceError,
    resource_of,
)
from mobility_warehouse.sources.http import Client
from tests.sources.contract import IMPATIENT, PagingServer, SourceFixture, pull, pull_with

EXPECTED = Path(__file__).parent / "expected"


# -- declaration -----------------------------------------------------------------------------------


def test_the_declaration_is_complete(source: Source) -> None:
    said = (
        source.title,
        source.publisher,
        source.licence,
        source.licence_url,
        source.attribution,
        source.cadence,
        source.pool,
        "off" if source.default_base_url is None else source.default_base_url,
    )
    assert all(text.strip() for text in said)
    assert croniter.is_valid(source.schedule)
    assert source.pool_slots >= 1
    for resource in source.resources:
        assert resource.description
        for column in resource.columns:
            assert column.description, column.name
            is_number = column.type is ColumnType.FLOAT
            assert column.unit or not is_number, f"{resource.name}.{column.name} is a number without a unit"
            assert not (column.volatile and column.name in resource.key)


def test_every_resource_is_pulled_and_every_pull_has_a_resource(source: Source) -> None:
    parts = source.slices()
    assert len(set(parts)) == len(parts)
    assert {part.resource for part in parts} == {resource.name for resource in source.resources}


# -- configuration ---------------------------------------------------------------------------------


def test_a_good_configuration_pulls(source: Source, fixture: SourceFixture, replay: ReplayServer) -> None:
    pulled = pull(source, fixture.part, fixture.connection(replay.url))
    assert (pulled.read, pulled.absent, pulled.rejected) == (fixture.read, fixture.absent, [])
    assert pulled.frame.height == fixture.read - fixture.absent
    resource = resource_of(source, fixture.part.resource)
    assert pulled.frame.schema == {**resource.polars_schema, "record_no": pl.UInt32()}
    assert pulled.frame.select(resource.key).is_duplicated().sum() == 0


def test_the_settings_find_the_replay_server(
    source: Source, fixture: SourceFixture, replay: ReplayServer
) -> None:
    """A run on the replay server reaches the source where these tests do."""
    found = Settings.from_environment({REPLAY_URL_VARIABLE: replay.url}).connection_for(source)
    assert found.base_url == fixture.connection(replay.url).base_url


def test_a_bad_configuration_is_named(source: Source, fixture: SourceFixture, replay: ReplayServer) -> None:
    good = fixture.connection(replay.url)
    for bad in fixture.bad_configurations:
        with pytest.raises(SourceError) as raised:
            pull(source, fixture.part, bad.connection(good))
        assert re.search(bad.message, str(raised.value)), bad.name
        if good.password:
            assert good.password not in str(raised.value)


def test_a_closed_port_is_named(source: Source, fixture: SourceFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceError, match=f"127.0.0.1:{port}.*2 tries") as raised:
        pull(source, fixture.part, fixture.connection(f"http://127.0.0.1:{port}"))
    assert raised.value.retryable


# -- paging ----------------------------------------------------------------------------------------


def test_paging_reaches_the_last_row(source: Source, fixture: SourceFixture) -> None:
    if fixture.paged_answer is None or fixture.paged_part is None:
        pytest.skip("the source answers in one piece")
    part, key = fixture.paged_part, resource_of(source, fixture.paged_part.resource).key

    with PagingServer(fixture.paged_answer) as server, Client(IMPATIENT) as client:

        @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(total=st.integers(1, 40), size=st.integers(1, 45))
        def fetched_equals_total(total: int, size: int) -> None:
            pulled = pull_with(client, source, part, server.connection(total, size))
            assert pulled.read == pulled.frame.height == total
            assert pulled.frame.select(key).is_duplicated().sum() == 0
            assert len(pulled.urls) == -(-total // size)

        fetched_equals_total()

        with pytest.raises(SourceError, match=re.escape(f"{source.name} {part.resource} {part.name}")):
            pull_with(client, source, part, server.connection(0, 10))


# -- repetition ------------------------------------------------------------------------------------


def test_the_same_pull_twice_gives_the_same(
    source: Source, fixture: SourceFixture, replay: ReplayServer
) -> None:
    first, second = (pull(source, fixture.part, fixture.connection(replay.url)) for _ in range(2))
    assert first.frame.equals(second.frame)
    assert first.urls == second.urls


def test_conditions_of_another_state_bring_the_whole_answer(
    source: Source, fixture: SourceFixture, replay: ReplayServer
) -> None:
    """A state from elsewhere or the future must not pass for the present one."""
    first = next(source.conversation(fixture.part, fixture.connection(replay.url)))
    if first.method != "GET":
        assert not first.conditional, "only a GET may be conditional"
        return
    with Client(IMPATIENT) as client:
        whole = client.send(first)
        known = client.send(first, conditional_headers={"If-None-Match": whole.headers["etag"]})
        other = client.send(first, conditional_headers={"If-None-Match": '"of-another-state"'})
    assert known.not_modified
    assert known.body == b""
    assert not other.not_modified
    assert other.body == whole.body
    source.check(fixture.part, other)


# -- drift -----------------------------------------------------------------------------------------


def test_drift_is_found_and_named(source: Source, fixture: SourceFixture, replay: ReplayServer) -> None:
    drifts = dict(enumerate(fixture.drifts, fixture.first_drift))
    for position, drift in drifts.items():
        replay.add_fault(fixture.data_requests, "mutate", **{"records": [position], **drift.mutation})
    pulled = pull(source, fixture.part, fixture.connection(replay.url))

    found = {record.record_no: (record.reason, record.field) for record in pulled.rejected}
    assert found == {position: (drift.reason, drift.field) for position, drift in drifts.items()}
    assert pulled.read == fixture.read == pulled.frame.height + len(pulled.rejected) + pulled.absent
    for record in pulled.rejected:
        part = f"{source.name} {fixture.part.resource} {fixture.part.name}"
        assert record.message.startswith(f"{part} record {record.record_no} field {record.field}: ")
        # Numbers alone may recur: every page counts from 0, and the cells of a row share theirs.
        same_number = pulled.frame.filter(pl.col("record_no") == record.record_no)
        key = record.key or {}
        assert key not in same_number.select(key.keys()).to_dicts()
        assert record.record, "the bytes are kept"


def test_text_beyond_ascii_arrives_whole(
    source: Source, fixture: SourceFixture, replay: ReplayServer
) -> None:
    drift = next((drift for drift in fixture.drifts if drift.reason == "overlong"), None)
    if drift is None:
        pytest.skip("the records hold no free text")
    replay.add_fault(
        fixture.data_requests, "mutate", records=[fixture.first_drift + 1], non_ascii=[drift.field]
    )
    pulled = pull(source, fixture.part, fixture.connection(replay.url))
    assert pulled.rejected == []
    text = pulled.frame.select(pl.concat_str(pl.col(pl.String), ignore_nulls=True)).to_series()
    assert text.str.contains("Zażółć 例え مثال \U0001f9d1\u200d⚕️", literal=True).any() or pulled.absent


# -- answers that are none -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("error_in_200", "error inside HTTP 200"),
        ("empty_200", "empty"),
        ("html", "HTML instead of"),
        ("truncated_json", "cut short"),
        ("cut_mid_body", "connection cut"),
        ("http_500", "HTTP 500"),
    ],
)
def test_an_answer_that_is_none_is_an_error(
    source: Source, fixture: SourceFixture, replay: ReplayServer, fault: str, message: str
) -> None:
    replay.add_fault(fixture.data_requests, fault)
    with pytest.raises(SourceError, match=fixture.fault_messages.get(fault, message)):
        pull(source, fixture.part, fixture.connection(replay.url))


@pytest.mark.parametrize("fault", ["empty_200", "html", "truncated_json", "cut_mid_body", "http_500"])
def test_a_passing_fault_is_survived(
    source: Source, fixture: SourceFixture, replay: ReplayServer, fault: str
) -> None:
    replay.add_fault(fixture.data_requests, fault, times=1)
    pulled = pull(source, fixture.part, fixture.connection(replay.url))
    assert (pulled.read, pulled.rejected) == (fixture.read, [])


# -- records ---------------------------------------------------------------------------------------


def test_expected_records(source: Source, fixture: SourceFixture, replay: ReplayServer) -> None:
    """Records checked by hand against the publisher's export; they change by reviewed diff alone."""
    expected: list[dict[str, Any]] = json.loads((EXPECTED / f"{source.name}.json").read_text())
    pulled = pull(source, fixture.part, fixture.connection(replay.url))
    key = resource_of(source, fixture.part.resource).key
    assert expected
    for record in expected:
        rows = pulled.frame.filter(pl.col(name).eq_missing(pl.lit(record[name])) for name in key)
        assert rows.height == 1, record
        found = json.loads(rows.drop("record_no").write_json())[0]
        assert {name: found[name] for name in record} == record
        assert set(record) >= {column.name for column in _columns(source, fixture)}


def _columns(source: Source, fixture: SourceFixture) -> list[Any]:
    """All but volatile columns: these are no part of the content."""
    return [column for column in resource_of(source, fixture.part.resource).columns if not column.volatile]


def test_the_connection_never_shows_its_password() -> None:
    connection = SourceConnection("http://127.0.0.1", "reader", "the-password")
    assert "the-password" not in repr(connection)
    assert "the-password" not in repr(replace(connection, user="other"))


def test_requests_show_no_credentials(source: Source, fixture: SourceFixture, replay: ReplayServer) -> None:
    connection = replace(fixture.connection(replay.url), user="reader", password="the-password")
    first: Request = next(source.conversation(fixture.part, connection))
    assert "the-password" not in (first.public_url or first.url)
