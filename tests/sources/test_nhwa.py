"""What is DHIS2's own: codes in place of UIDs, changes and deleted values, limits of analytics, accounts."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.landing.pull import pull as land
from mobility_warehouse.settings import NotConfigured, Settings
from mobility_warehouse.snapshot import nhwa as protocol
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import Answer, Request, Slice, SourceConnection, SourceError
from mobility_warehouse.sources.http import Client
from mobility_warehouse.sources.nhwa import DATA_VALUE, INDICATOR_VALUE, SOURCE
from tests.sources.answers import CONNECTION, answer, converse, refusal
from tests.sources.contract import IMPATIENT, pull
from tests.sources.fixtures_nhwa import FIXTURE, data_element

VALUES = Slice("data_value", "all")
FIGURES = Slice("indicator_value", "all")
ELEMENTS = Slice("data_element", "all")


def value(**changes: Any) -> dict[str, Any]:
    return {
        "dataElement": "NHWA_DE_0001",
        "period": "2023",
        "orgUnit": "KEN",
        "categoryOptionCombo": "default",
        "attributeOptionCombo": "default",
        "value": "12000",
        "storedBy": "focal.point.ken",
        "created": "2024-02-01T09:30:00.000+0000",
        "lastUpdated": "2024-02-01T09:30:00.000+0000",
        "followup": False,
        **changes,
    }


def values(*records: Mapping[str, Any]) -> Answer:
    return answer({"dataValues": list(records)})


# -- answers that are none -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "message", "retryable"),
    [
        (
            401,
            {"httpStatusCode": 401, "status": "ERROR", "message": "Unauthorized"},
            "HTTP 401: Unaut",
            False,
        ),
        (403, b"", "HTTP 403; the connection needs user and password, or an API token", False),
        (
            409,
            {"status": "ERROR", "message": "At least one data set is required", "errorCode": "E2001"},
            "HTTP 409: E2001 At least one data set is required",
            False,
        ),
        (415, b"<html>", "HTTP 415", False),
        (200, b"", "HTTP 200 with an empty body", True),
        (200, b"<!DOCTYPE html><title>DHIS 2 Login</title>", "HTML instead of JSON, maybe a page to", True),
        (200, {"status": "ERROR", "message": "Check the log"}, "error inside HTTP 200: Check the log", False),
        (200, b'{"dataValues":[{"dataElem', "cut short or no answer of this API", True),
        (200, {"vintages": [1]}, "no answer of this API: no array dataValues", False),
        (200, [1], "no answer of this API", True),
    ],
)
def test_every_way_to_say_no(status: int, body: object, message: str, retryable: bool) -> None:
    error = refusal(SOURCE, VALUES, body, status)
    assert str(error).startswith(f"nhwa data_value all: {message}")
    assert error.retryable is retryable


# -- metadata --------------------------------------------------------------------------------------


def page(number: int, pages: int, total: int, *elements: int) -> dict[str, Any]:
    pager = {"page": number, "pageCount": pages, "total": total, "pageSize": 2}
    return {"pager": pager, "dataElements": [data_element(element) for element in elements]}


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ([page(1, 2, 3, 0, 1), page(1, 2, 3, 2)], "asked for page 2, got page 1"),
        ([page(1, 2, 3, 0, 1), page(2, 2, 3, 0, 1)], "page 2 repeats an earlier page"),
        ([page(1, 2, 3, 0, 1), page(2, 2, 3)], "page 2 holds no record"),
        ([page(1, 2, 3, 0, 1), page(2, 2, 4, 2)], "page 2 speaks of 4 records on 2 pages, page 1 of 3 on 2"),
        ([page(1, 1, 3, 0, 1)], "the pages hold 2 records, the server counts 3"),
        ([page(1, 0, 0)], "the server holds none, or none that the account may read"),
        ([{"dataElements": []}], "page 1 names no pager"),
    ],
)
def test_pages_that_do_not_add_up(pages: list[object], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        converse(SOURCE, ELEMENTS, pages)


def test_the_address_of_the_next_page_behind_a_proxy_is_not_followed(replay: ReplayServer) -> None:
    connection = FIXTURE.connection(replay.url)
    with Client(IMPATIENT) as client:
        first = client.send(next(SOURCE.conversation(ELEMENTS, connection)))
    assert b'"nextPage":"http://dhis2.internal:8080/' in first.body
    urls = pull(SOURCE, ELEMENTS, connection).urls
    assert len(urls) == 2
    assert all(url.startswith(f"{replay.url}/nhwa/api/dataElements.json?") for url in urls)


def test_whether_pages_changed_is_asked_by_who_may_read_them(warehouse: Engine, replay: ReplayServer) -> None:
    ingest = warehouse_engine("ingest", url=warehouse.url)
    before = len(replay.log)
    with Client(IMPATIENT) as client:
        for outcome in ("loaded", "unchanged"):
            report = land(ingest, SOURCE, ELEMENTS, FIXTURE.connection(replay.url), client=client)
            assert (report.outcome, report.read) == (outcome, FIXTURE.read)
    assert [served["status"] for served in replay.log[before:]] == [200, 200, 304, 304]
    ingest.dispose()


def test_elements_of_several_data_sets_are_one_element(replay: ReplayServer) -> None:
    connection = FIXTURE.connection(replay.url)
    sets = pull(SOURCE, Slice("data_set", "all"), connection).frame
    module, edition = sets.filter(sets["code"].is_in(["NHWA-M1", "NHWA-M1-2023"]))["data_elements"]
    assert module == edition
    frame = pull(SOURCE, ELEMENTS, connection).frame
    assert frame["code"].is_unique().all()
    assert sum(name.startswith("NHWA_HWF_Foreign trained Nurses ") for name in frame["name"]) == 195


def test_every_resource_of_both_vintages_reads_without_a_rejected_record(replay: ReplayServer) -> None:
    for part in SOURCE.slices():
        # Metadata are the same in both.
        for vintage in (1, 2) if part.resource in ("data_value", "indicator_value") else (2,):
            pulled = pull(SOURCE, part, FIXTURE.connection(replay.vintage(vintage)))
            assert pulled.rejected == [], part
            assert pulled.frame.height > 0


# -- values ----------------------------------------------------------------------------------------


def test_values_stay_text_and_zero_is_a_value() -> None:
    reading = SOURCE.read(VALUES, values(value(value="0"), value(period="2022", value="Partial")))
    assert reading.frame["value"].to_list() == ["0", "Partial"]
    assert (reading.read, reading.absent) == (2, 0)


def test_deleted_and_emptied_values_are_withdrawn_by_key() -> None:
    records = [
        value(deleted=True, lastUpdated="2024-05-01T00:00:00.000+0000"),
        value(period="2022", value="", comment="not known any more"),
        {name: held for name, held in value(period="2021").items() if name != "value"},
        value(period="2020", lastUpdated="2024-03-01T00:00:00.000+0000"),
    ]
    reading = SOURCE.read(VALUES, values(*records))
    assert (reading.read, reading.absent, reading.frame.height) == (4, 3, 1)
    assert reading.withdrawn is not None
    assert reading.withdrawn["period"].to_list() == ["2023", "2022", "2021"]
    assert reading.withdrawn.columns == list(DATA_VALUE.key)
    assert reading.mark == "2024-05-01T00:00:00.000+0000", "a deletion moves the mark, too"


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"value": 12}, "wrong_type", "value"),
        ({"orgUnit": "QQQ"}, "unknown_country", "orgUnit"),
        ({"orgUnit": "EURO"}, "unknown_country", "orgUnit"),
        ({"period": "202301"}, "not_a_year", "period"),
        ({"lastUpdated": "yesterday"}, "not_a_time", "lastUpdated"),
        ({"categoryOptionCombo": None}, "missing_key", "categoryOptionCombo"),
        ({"dataElement": ""}, "missing_key", "dataElement"),
        ({"dataElement": None}, "missing_key", "dataElement"),
        ({"scheme": "UID"}, "unknown_field", "scheme"),
        ({"followup": "no"}, "wrong_type", "followup"),
    ],
)
def test_a_value_that_does_not_keep_the_declaration_is_rejected_alone(
    changes: dict[str, Any], reason: str, field: str
) -> None:
    reading = SOURCE.read(VALUES, values(value(), value(period="2022") | changes))
    assert reading.frame["period"].to_list() == ["2023"]
    (bad,) = reading.rejected
    assert (bad.record_no, bad.reason, bad.field) == (1, reason, field)
    assert bad.message.startswith(f"nhwa data_value all record 1 field {field}: ")


@pytest.mark.parametrize(
    ("landed", "asked"),
    [
        ("2024-02-01T09:30:00.125+0000", "2024-02-01T08:30:00.125%2B0000"),
        ("2024-03-01T00:10:00.000", "2024-02-29T23:10:00.000"),
    ],
)
def test_changes_are_asked_for_since_an_hour_before_the_mark(landed: str, asked: str) -> None:
    conversation = SOURCE.changes(VALUES, CONNECTION, landed)
    next(conversation)
    conversation.send(answer({"dataSets": [{"id": "s", "code": "NHWA-M1"}]}))
    request = conversation.send(answer({"organisationUnits": [{"id": "w"}]}))
    assert f"lastUpdated={asked}&includeDeleted=true" in request.url
    assert "startDate" not in request.url


def test_no_change_is_no_fault_and_no_value_at_all_is_one() -> None:
    lookups: list[object] = [
        {"dataSets": [{"id": "s", "code": "NHWA-M1"}]},
        {"organisationUnits": [{"id": "w"}]},
    ]
    with pytest.raises(SourceError, match="the server holds no value, or none that the account may read"):
        converse(SOURCE, VALUES, [*lookups, {}])
    empty = SOURCE.read(VALUES, answer({}))
    assert (empty.read, empty.frame.height, empty.mark) == (0, 0, None)


@pytest.mark.parametrize(
    ("lookups", "message"),
    [
        ([{"dataSets": []}, {"organisationUnits": [{"id": "w"}]}], "no data set with a code like NHWA-M"),
        ([{"dataSets": [{"id": "s", "code": "NHWA-M1"}]}, {}], "sees no organisation unit"),
    ],
)
def test_an_account_that_sees_nothing_is_told_so(lookups: list[object], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        converse(SOURCE, VALUES, lookups)


class Vintage:
    """A client that asks the second vintage where the first is asked for: the server after a while."""

    def __init__(self, client: Client, number: int) -> None:
        self.client, self.number = client, number
        self.urls: list[str] = []

    def send(self, request: Request, **options: Any) -> Answer:
        self.urls.append(request.url)
        sent = replace(request, url=request.url.replace("/nhwa/", f"/vintage-{self.number}/nhwa/", 1))
        return replace(self.client.send(sent, **options), request=request)


def counted(engine: Engine) -> tuple[int, int]:
    """Current and withdrawn versions of values."""
    query = (
        "select count(*) filter (where fetched_to = 'infinity') as current, "
        "count(*) filter (where withdrawn) as withdrawn from raw.nhwa__data_value"
    )
    with engine.connect() as connection:
        row = connection.execute(text(query)).one()
        return row.current, row.withdrawn


@pytest.mark.slow
def test_changes_land_as_a_whole_pull_would(warehouse: Engine, replay: ReplayServer) -> None:
    """Of the second vintage, changes alone leave the very versions that a pull of the whole finds right."""
    ingest = warehouse_engine("ingest", url=warehouse.url)
    connection = FIXTURE.connection(replay.url)
    with Client(IMPATIENT) as client:
        whole = land(ingest, SOURCE, VALUES, connection, client=Vintage(client, 1))
        second = Vintage(client, 2)
        changes = land(ingest, SOURCE, VALUES, connection, client=second)
        assert "lastUpdated=2023-" in second.urls[-1]
        assert changes.read < whole.read / 20
        assert changes.inserted > 0
        assert changes.revised > 0
        assert 0 < changes.withdrawn <= changes.absent
        held, withdrawn = counted(warehouse)
        assert withdrawn == changes.withdrawn
        with warehouse.begin() as database:
            database.execute(text("update raw.fetch set started_at = started_at - interval '29 days'"))
        again = land(ingest, SOURCE, VALUES, connection, client=Vintage(client, 2))
    assert (again.read, again.outcome, again.withdrawn) == (held, "unchanged", 0)
    with warehouse.connect() as database:
        marks = database.execute(
            text("select synthetic, changes_since is null as whole from raw.fetch order by fetch_id")
        ).all()
        names = database.execute(text("select * from raw.nhwa__data_value limit 1")).mappings().one()
    assert [tuple(row) for row in marks] == [(True, True), (True, False), (True, True)]
    assert "stored_by" not in names
    ingest.dispose()


# -- analytics -------------------------------------------------------------------------------------


def test_a_question_with_too_many_rows_is_halved_until_it_is_answered(
    replay: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pull(SOURCE, FIGURES, FIXTURE.connection(replay.url))
    monkeypatch.setattr(protocol, "MOST_ROWS", 100)
    pulled = pull(SOURCE, FIGURES, FIXTURE.connection(replay.url))
    assert len(pulled.urls) > 20
    order = list(INDICATOR_VALUE.key)
    columns = [column.name for column in INDICATOR_VALUE.columns]
    assert pulled.frame.select(columns).sort(order).equals(whole.frame.select(columns).sort(order))


def test_one_indicator_of_one_year_beyond_the_limit_is_an_error(
    replay: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MOST_ROWS", 0)
    with pytest.raises(SourceError, match="NHWA-2017-1-04-MD of 2019 alone is more than the server's limit"):
        pull(SOURCE, FIGURES, FIXTURE.connection(replay.url))


def test_another_refusal_of_analytics_is_final() -> None:
    body = {"status": "ERROR", "message": "Only a single indicator can be filter", "errorCode": "E7108"}
    error = refusal(SOURCE, FIGURES, body, 409)
    assert str(error) == ("nhwa indicator_value all: HTTP 409: E7108 Only a single indicator can be filter")
    assert not error.retryable


def analytics(
    *rows: list[Any], headers: tuple[str, ...] = ("dx", "pe", "ou", "value"), height: int = 1
) -> Answer:
    body = {"headers": [{"name": name} for name in headers], "rows": list(rows), "height": height}
    return answer(body)


def test_columns_in_another_order_are_refused() -> None:
    swapped = analytics(["2023", "NHWA-2017-1-08-MD", "KEN", "4"], headers=("pe", "dx", "ou", "value"))
    with pytest.raises(SourceError, match="analytics gives the columns"):
        SOURCE.check(FIGURES, swapped)


@pytest.mark.parametrize(
    ("row", "reason", "field"),
    [
        (["NHWA-2017-1-08-MD", "2023", "KEN", "many"], "not_a_number", "[3]"),
        (["NHWA-2017-1-08-MD", "2023", "KEN", "NaN"], "not_a_number", "[3]"),
        (["NHWA-2017-1-08-MD", "2023", "EURO", "1.5"], "unknown_country", "[2]"),
        (["", "2023", "KEN", "1.5"], "missing_key", "[0]"),
        (["NHWA-2017-1-08-MD", "2023", "KEN", 1.5], "wrong_type", "[3]"),
        (["NHWA-2017-1-08-MD", "2023", "KEN"], "wrong_type", None),
    ],
)
def test_a_row_that_does_not_keep_the_declaration_is_rejected_alone(
    row: list[Any], reason: str, field: str | None
) -> None:
    reading = SOURCE.read(FIGURES, analytics(["NHWA-2017-1-08-MD", "2022", "KEN", "7.5"], row, height=2))
    assert reading.frame["value"].to_list() == [7.5]
    (bad,) = reading.rejected
    assert (bad.record_no, bad.reason, bad.field) == (1, reason, field)


def test_rows_that_are_not_as_many_as_said_are_an_error() -> None:
    pages: list[object] = [
        {"indicators": [{"id": "i", "code": "NHWA-2017-1-08-MD"}]},
        {"serverDate": "2024-10-15T00:00:00.000"},
        {"headers": [{"name": name} for name in ("dx", "pe", "ou", "value")], "rows": [], "height": 2},
    ]
    with pytest.raises(SourceError, match="analytics holds 0 rows and speaks of 2"):
        converse(SOURCE, FIGURES, pages)


# -- accounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "password", "header"),
    [
        (None, "d2pat_abc", "ApiToken d2pat_abc"),
        ("somebody", "d2pat_abc", "ApiToken d2pat_abc"),
        ("reader", "secret", f"Basic {base64.b64encode(b'reader:secret').decode()}"),
        (None, None, None),
    ],
)
def test_tokens_and_passwords_go_into_the_header_alone(
    user: str | None, password: str | None, header: str | None
) -> None:
    for part in SOURCE.slices():
        request = next(SOURCE.conversation(part, SourceConnection("http://127.0.0.1:9", user, password)))
        assert request.headers.get("Authorization") == header
        for said in (repr(request), request.url):
            assert password is None or password not in said
            assert header is None or header not in said


def test_a_token_or_a_password_opens_the_replayed_server(replay: ReplayServer) -> None:
    for user, password in ((None, protocol.TOKEN), (protocol.USER, protocol.PASSWORD)):
        connection = SourceConnection(f"{replay.url}/nhwa", user, password)
        assert pull(SOURCE, Slice("data_set", "all"), connection).read == 6


def test_the_source_is_off_until_a_connection_is_configured() -> None:
    with pytest.raises(NotConfigured, match="source nhwa is off until it has a connection"):
        Settings.from_environment({}).connection_for(SOURCE)
