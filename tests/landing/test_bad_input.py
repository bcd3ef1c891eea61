"""Bad input through the real client into the real database: named, kept, and the last good state stands."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mobility_warehouse.landing.pull import accept, pull
from mobility_warehouse.landing.report import FetchReport, PullFailed, PullRefused
from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.snapshot.store import (
    MANIFEST_NAME,
    compress,
    decompress,
    default_directory,
    read_manifest,
)
from mobility_warehouse.sources.declaration import GivesChanges, Slice, Source, SourceConnection, resource_of
from mobility_warehouse.sources.files import FileSource
from mobility_warehouse.sources.http import Client, HttpSettings
from mobility_warehouse.sources.registry import sources
from tests.sources.contract import SourceFixture

SETTINGS = HttpSettings(tries=2, first_backoff=0.001, max_backoff=0.002, read_timeout=30.0)
PAGE_SIZE = 50


#: Which rows below the heading are kept of a file whose every pull would take seconds.
FEWER_ROWS: dict[str, slice] = {
    # Mexico to the Philippines, by which the source tells that a matrix is not transposed.
    "knomad_matrix": slice(110, 170),
    # The world comes first, and would no longer be the sum of the rest.
    "un_desa": slice(1, 60),
}


def cut_snapshot(folder: Path) -> Path:
    """The shipped snapshot with fewer rows of what is long, and links to all else."""
    shipped = default_directory()
    for entry in read_manifest(shipped).files:
        file = folder / entry.path
        file.parent.mkdir(parents=True, exist_ok=True)
        if entry.source not in FEWER_ROWS:
            file.symlink_to(shipped / entry.path)
            continue
        kept: dict[str, list[bytes]] = defaultdict(list)
        head, *rows = decompress((shipped / entry.path).read_bytes())
        for row in rows:
            kept[json.loads(row)["sheet"]].append(row)
        headings = json.loads(head)["heading_rows"]
        cut = [
            row
            for name, sheet in kept.items()
            for row in sheet[: headings[name]] + sheet[headings[name] :][FEWER_ROWS[entry.source]]
        ]
        file.write_bytes(compress([head, *cut]))
    (folder / MANIFEST_NAME).symlink_to(shipped / MANIFEST_NAME)
    return folder


@pytest.fixture(scope="module")
def running_replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplayServer]:
    snapshot = cut_snapshot(tmp_path_factory.mktemp("snapshot"))
    with ReplayServer(snapshot, gho_page_size=PAGE_SIZE) as server:
        yield server


@pytest.fixture
def replay(running_replay: ReplayServer) -> Iterator[ReplayServer]:
    running_replay.clear_faults()
    yield running_replay
    running_replay.clear_faults()


@dataclass
class Subject:
    """One slice of one source, landed into one warehouse."""

    source: Source
    fixture: SourceFixture
    part: Slice
    replay: ReplayServer
    warehouse: Engine
    requests: str
    text_field: str
    settings: HttpSettings = SETTINGS

    @property
    def connection(self) -> SourceConnection:
        return self.fixture.connection(self.replay.url)

    @property
    def news(self) -> dict[str, Any]:
        """A change of a record that is no fault, as ``mutate`` makes it."""
        # A matrix has no free text, but for its headings.
        return {"non_ascii": [self.text_field]} if self.text_field else {"set": {"Albania": 7}}

    @property
    def label(self) -> str:
        return f"{self.source.name} {self.part.resource} {self.part.name}"

    def land(self) -> FetchReport:
        if isinstance(self.source, GivesChanges):
            # Every pull here is of the whole slice: where nothing changed, nothing could be at fault.
            with self.warehouse.begin() as connection:
                connection.execute(text("update raw.fetch set mark = null"))
        with Client(self.settings) as client:
            return pull(self.warehouse, self.source, self.part, self.connection, client=client)

    def fault(self, kind: str, **options: Any) -> None:
        requests = self.requests
        if isinstance(self.source, FileSource) and kind not in ("mutate", "drop_share", "timeout"):
            # The file itself; a change of its records is one of the listing, too, which names its checksum,
            # and without a change no file is asked for.
            requests += "."
        self.replay.add_fault(requests, kind, **options)

    def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        with self.warehouse.connect() as connection:
            return [dict(row) for row in connection.execute(text(query), values).mappings()]

    def versions(self) -> str:
        """Every version, open and closed, with the times of its transaction, a line each."""
        (every,) = self.rows(
            "select coalesce(string_agg(version::text, E'\\n' order by key_hash, fetched_to), '') as lines "
            "from (select key_hash, content_hash, fetched_from, fetched_to, withdrawn "
            f"from raw.{self.source.name}__{self.part.resource}) as version"
        )
        return str(every["lines"])

    def quarantined(self, report: FetchReport) -> list[dict[str, Any]]:
        return self.rows(
            "select * from quarantine.record where fetch_id = :fetch_id order by record_no",
            fetch_id=report.fetch_id,
        )

    def fetch(self, report: FetchReport) -> dict[str, Any]:
        (row,) = self.rows("select * from raw.fetch where fetch_id = :fetch_id", fetch_id=report.fetch_id)
        return row


def subject_of(name: str, replay: ReplayServer, warehouse: Engine) -> Subject:
    fixture: SourceFixture = import_module(f"tests.sources.fixtures_{name}").FIXTURE
    text_field = next((drift.field for drift in fixture.drifts if drift.reason == "overlong"), None) or ""
    return Subject(
        sources()[name], fixture, fixture.part, replay, warehouse, fixture.data_requests, text_field
    )


@pytest.fixture(params=sorted(sources()))
def subject(request: pytest.FixtureRequest, replay: ReplayServer, warehouse: Engine) -> Subject:
    """A small slice of each source."""
    subject = subject_of(request.param, replay, warehouse)
    if request.param == "world_bank":
        subject.part, subject.requests = Slice("country", "all"), r"/v2/country\?"
        subject.text_field = "capitalCity"
    return subject


@pytest.fixture
def gho(replay: ReplayServer, warehouse: Engine) -> Subject:
    return subject_of("who_gho", replay, warehouse)


@pytest.fixture
def bank(replay: ReplayServer, warehouse: Engine) -> Subject:
    return subject_of("world_bank", replay, warehouse)


def fails_again(
    subject: Subject, message: str, error: type[PullFailed | PullRefused] = PullFailed
) -> FetchReport:
    """A pull after a good one fails with that message, is logged so, and changes nothing."""
    before = subject.versions()
    with pytest.raises(error, match=message) as raised:
        subject.land()
    report = raised.value.report
    assert str(raised.value).startswith(subject.label)
    assert subject.versions() == before, "the last good state stands"
    fetch = subject.fetch(report)
    assert fetch["outcome"] == ("failed" if error is PullFailed else "refused")
    assert fetch["message"] == report.message
    return report


def recovers(subject: Subject) -> FetchReport:
    """Without faults the next pull finds the state as it was."""
    subject.replay.clear_faults()
    report = subject.land()
    assert (report.outcome, report.revised, report.withdrawn, report.quarantined) == ("unchanged", 0, 0, 0)
    return report


# -- no answer at all ------------------------------------------------------------------------------


NO_ANSWERS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("http_500", {}, r"HTTP 500 Internal Server Error \(.*2 tries\)"),
    ("http_429", {"retry_after": 0}, r"HTTP 429 Too Many Requests \(.*2 tries\)"),
    ("http_429", {"retry_after": 3600}, r"HTTP 429 Too Many Requests \(.*1 try\)"),
    ("cut_mid_body", {}, r"connection cut before the answer was whole.*2 tries\)"),
    ("truncated_json", {}, "cut short"),
    ("html", {}, "HTML instead of"),
    ("error_in_200", {}, "error inside HTTP 200"),
    ("empty_200", {}, "empty"),
)


def test_an_answer_that_is_none_fails_the_pull(subject: Subject, subtests: pytest.Subtests) -> None:
    subject.land()
    for fault, options, message in NO_ANSWERS:
        with subtests.test(fault=fault, **options):
            subject.replay.clear_faults()
            # Without news the answer would be a 304, which has no body to lose.
            subject.fault("mutate", records=[0], **subject.news)
            subject.fault(fault, **options)
            report = fails_again(subject, subject.fixture.fault_messages.get(fault, message))
            assert subject.quarantined(report) == []
    recovers(subject)


def test_a_silent_source_fails_the_pull(subject: Subject) -> None:
    subject.land()
    subject.fault("timeout", seconds=0.8)
    subject.settings = replace(SETTINGS, read_timeout=0.2)
    fails_again(subject, r"timed out after .*2 tries\)")
    subject.settings = SETTINGS
    recovers(subject)


def test_what_came_instead_of_an_answer_is_kept(subject: Subject, subtests: pytest.Subtests) -> None:
    for fault, status in (("http_500", 500), ("html", 200), ("truncated_json", 200), ("error_in_200", 200)):
        with subtests.test(fault=fault):
            subject.replay.clear_faults()
            subject.fault(fault)
            with pytest.raises(PullFailed) as raised:
                subject.land()
            responses = subject.rows(
                "select status, size_bytes from raw.response where fetch_id = :fetch_id order by response_no",
                fetch_id=raised.value.report.fetch_id,
            )
            assert responses[-1]["status"] == status
            assert responses[-1]["size_bytes"] > 0
    assert subject.versions() == "", "nothing is landed where there was nothing before"


def test_a_fault_that_passes_is_survived(subject: Subject) -> None:
    subject.fault("cut_mid_body", times=1)
    report = subject.land()
    assert (report.outcome, report.quarantined) == ("loaded", 0)
    assert report.read - report.absent == report.inserted > 0


def test_an_indicator_that_the_publisher_dropped_is_named(gho: Subject, bank: Subject) -> None:
    gho.part = Slice("observation", "HWF_9999")
    with pytest.raises(PullFailed, match=r"HWF_9999: HTTP 404, the publisher knows no such indicator.*1 try"):
        gho.land()
    bank.part = Slice("observation", "NO.SUCH.ONE")
    with pytest.raises(PullFailed, match=r"NO\.SUCH\.ONE: error inside HTTP 200: 175 .*1 try"):
        bank.land()


# -- pages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("duplicate_page", "repeats an earlier page"),
        ("missing_page", "224 records, the publisher counts 274"),
    ],
)
def test_a_page_twice_or_not_at_all_fails_the_pull(gho: Subject, fault: str, message: str) -> None:
    gho.land()
    # The pull's first request asks whether page 1 changed; page 3 of the conversation is the third.
    gho.replay.add_fault(rf"\$skip={2 * PAGE_SIZE}", fault)
    gho.replay.add_fault(gho.fixture.data_requests, "mutate", records=[0], set={"Comments": "changed"})
    fails_again(gho, message)
    recovers(gho)


def test_a_first_pull_that_lost_a_page_lands_nothing(gho: Subject) -> None:
    gho.replay.add_fault(rf"\$skip={2 * PAGE_SIZE}", "missing_page", times=1)
    with pytest.raises(PullFailed, match="224 records, the publisher counts 274") as raised:
        gho.land()
    assert gho.fetch(raised.value.report)["outcome"] == "failed"
    assert gho.versions() == ""
    assert gho.land().inserted == 274


@pytest.mark.parametrize("fault", ["duplicate_page", "missing_page"])
def test_a_page_fault_of_the_bank_fails_the_pull(
    bank: Subject, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("mobility_warehouse.sources.world_bank.OBSERVATIONS_PER_PAGE", 5_000)
    bank.land()
    bank.replay.add_fault(r"page=3", fault)
    fails_again(bank, "page 3 (repeats an earlier page|holds no record)")
    recovers(bank)


def test_a_vintage_that_switches_between_pages_fails_the_pull(
    bank: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobility_warehouse.sources.world_bank.OBSERVATIONS_PER_PAGE", 5_000)
    bank.land()
    bank.replay.add_fault(r"page=2", "new_revision")
    fails_again(bank, "the publisher changed vintage between pages")


# -- records ---------------------------------------------------------------------------------------


#: Records of files are rows below headings: their drifts are tested with the reader of tables.
SPOKEN = sorted(name for name, source in sources().items() if not isinstance(source, FileSource))


@pytest.mark.parametrize("name", SPOKEN)
def test_every_drift_is_quarantined_with_its_bytes_and_the_rest_is_landed(
    name: str, replay: ReplayServer, warehouse: Engine
) -> None:
    subject = subject_of(name, replay, warehouse)
    drifts = subject.fixture.drifts
    for position, drift in enumerate(drifts):
        subject.fault("mutate", **{"records": [position], **drift.mutation})
    if len(drifts) > 0.05 * subject.fixture.read:
        with pytest.raises(PullRefused) as raised:
            subject.land()
        report = raised.value.report
        assert subject.versions() == ""
    else:
        report = subject.land()
        assert report.outcome == "loaded"
        assert report.inserted == subject.fixture.read - subject.fixture.absent - report.quarantined + (
            # A drifted record that was absent before is one absent record less.
            subject.fixture.absent - report.absent
        )
    records = subject.quarantined(report)
    assert [(row["reason"], row["field"]) for row in records] == [(one.reason, one.field) for one in drifts]
    for row in records:
        assert row["status"] == "open"
        assert row["message"].startswith(f"{subject.label} record {row['record_no']} field {row['field']}: ")
        assert row["response_id"] is not None
        # Bytes of personal data lie where the Secretariat alone can read them.
        kept = row["bytes"] or restricted_bytes(subject, row["quarantine_id"])
        assert kept


def restricted_bytes(subject: Subject, quarantine_id: int) -> bytes:
    (row,) = subject.rows(
        "select bytes from restricted.quarantined where quarantine_id = :quarantine_id",
        quarantine_id=quarantine_id,
    )
    return bytes(row["bytes"])


ONE = {"where": {"SpatialDim": "GHA"}, "records": [0]}

BAD_RECORDS: tuple[tuple[dict[str, Any], str, str, str], ...] = (
    ({"set": {"NumericValue": "12"}}, "wrong_type", "NumericValue", "expected number, got string"),
    ({"nan": ["NumericValue"]}, "not_a_number", "NumericValue", "expected number, got NaN"),
    ({"remove": ["NumericValue"]}, "missing_field", "NumericValue", "the declared field is missing"),
    ({"set": {"Colour": "red"}}, "unknown_field", "Colour", "the declaration knows no such field"),
    (
        {"overlong": {"Comments": 12_000}},
        "overlong",
        "Comments",
        "expected at most 10,000 characters, got 12,000 characters",
    ),
)


def test_a_bad_record_leaves_its_last_good_version_standing_and_marked(
    gho: Subject, subtests: pytest.Subtests
) -> None:
    gho.land()
    before = gho.versions()
    for mutation, reason, field, message in BAD_RECORDS:
        with subtests.test(reason=reason):
            gho.fault("mutate", **ONE, **mutation)
            report = gho.land()
            gho.replay.clear_faults()
            assert gho.versions() == before
            assert (report.quarantined, report.withdrawn, report.revised) == (1, 0, 0)
            (row,) = gho.quarantined(report)
            assert (row["reason"], row["field"]) == (reason, field)
            assert row["message"] == f"{gho.label} record {row['record_no']} field {field}: {message}"
            assert row["record_key"]["spatial_dim"] == "GHA"
            assert json.loads(row["bytes"])["SpatialDim"] == "GHA"
            stale = gho.rows("select * from raw.stale where stale_to = 'infinity'")
            assert [mark["key_hash"] for mark in stale] == [row["key_hash"]]

    assert gho.land().quarantined == 0
    assert gho.versions() == before
    assert gho.rows("select * from raw.stale where stale_to = 'infinity'") == []


@pytest.mark.parametrize(
    ("mutation", "reason", "message"),
    [
        (
            {"set": {"SpatialDim": "QQQ"}},
            "unknown_country",
            "field SpatialDim: 'QQQ' is no known COUNTRY code",
        ),
        (
            {"set": {"IndicatorCode": "HWF_9"}},
            "unknown_indicator",
            "field IndicatorCode: 'HWF_9' where HWF_0024 was asked for",
        ),
    ],
)
def test_an_unknown_code_is_quarantined_not_landed(
    gho: Subject, mutation: dict[str, Any], reason: str, message: str
) -> None:
    gho.fault("mutate", records=[4], **mutation)
    report = gho.land()
    (row,) = gho.quarantined(report)
    assert (row["reason"], row["message"]) == (reason, f"{gho.label} record 4 {message}")
    assert report.inserted == gho.fixture.read - 1
    assert gho.rows("select 1 from raw.who_gho__observation where spatial_dim = 'QQQ'") == []


def test_a_column_gone_new_or_renamed_everywhere_refuses_the_pull(
    gho: Subject, subtests: pytest.Subtests
) -> None:
    gho.land()
    for mutation, reason, field in (
        ({"remove": ["NumericValue"]}, "missing_field", "NumericValue"),
        ({"set": {"Colour": "red"}}, "unknown_field", "Colour"),
        ({"rename": {"NumericValue": "Number"}}, "unknown_field", "Number"),
    ):
        with subtests.test(reason=reason, field=field):
            gho.replay.clear_faults()
            gho.fault("mutate", **mutation)
            report = fails_again(gho, r"274 of 274 records were quarantined, more than the 5%", PullRefused)
            assert {(row["reason"], row["field"]) for row in gho.quarantined(report)} == {(reason, field)}
            assert len(gho.quarantined(report)) == 274
    recovers(gho)


def test_text_beyond_ascii_is_landed_letter_by_letter(gho: Subject) -> None:
    gho.land()
    gho.fault("mutate", **ONE, non_ascii=["Comments"])
    report = gho.land()
    assert (report.revised, report.quarantined) == (1, 0)
    (row,) = gho.rows(
        "select comments from raw.who_gho__observation where fetched_to = 'infinity' and comments like '%⚕️'"
    )
    assert row["comments"].endswith(" Zażółć 例え مثال \U0001f9d1\u200d⚕️")


# -- what is gone or said twice --------------------------------------------------------------------


def test_a_pull_that_lost_many_records_is_refused_until_a_person_accepts_it(subject: Subject) -> None:
    landed = subject.land().inserted
    subject.fault("drop_share", share=0.3)
    if subject.source.name in ("limesurvey", "stakeholders"):
        # The survey's own summary tells how many there should be: the pull fails before it is judged.
        fails_again(subject, "responses", PullFailed)
        return
    resource = resource_of(subject.source, subject.part.resource)
    if not resource.complete_pulls:
        # What a part does not hold is not gone.
        assert subject.land().withdrawn == 0
        return
    share = f"{resource.max_withdrawn_share:.0%}"
    report = fails_again(
        subject,
        rf"[\d,]+ of [\d,]+ current records are gone from the answer, more than the {share}",
        PullRefused,
    )
    accepted = accept(subject.warehouse, subject.source, report.fetch_id, accepted_by="operator")
    assert accepted.withdrawn == report.withdrawn > 0.1 * landed
    assert (accepted.inserted, accepted.revised) == (0, 0)
    assert subject.fetch(accepted)["accepted_by"] == "operator"


def test_a_few_records_gone_are_withdrawn(gho: Subject) -> None:
    gho.land()
    gho.fault("drop_share", share=0.02)
    report = gho.land()
    assert 0 < report.withdrawn < 20
    assert report.read + report.withdrawn == gho.fixture.read


def test_a_record_said_twice_is_counted_and_landed_once(gho: Subject) -> None:
    gho.fault("mutate", **ONE, repeat=True)
    report = gho.land()
    assert (report.duplicate, report.inserted, report.quarantined) == (1, gho.fixture.read, 0)


def test_a_record_said_in_two_ways_is_quarantined_both_times(gho: Subject) -> None:
    gho.land()
    before = gho.versions()
    gho.fault("mutate", **ONE, repeat=True, set={"NumericValue": 1.0})
    report = gho.land()
    assert gho.versions() == before
    assert report.quarantined == 2
    assert all(row["message"].startswith(gho.label) for row in gho.quarantined(report))


def test_a_refresh_without_news_is_no_revision(gho: Subject) -> None:
    gho.land()
    before = gho.versions()
    gho.fault("new_revision")
    report = gho.land()
    assert (report.outcome, report.revised, report.inserted) == ("unchanged", 0, 0)
    assert gho.versions() == before


def test_no_password_is_in_any_message(replay: ReplayServer, warehouse: Engine) -> None:
    subject = subject_of("limesurvey", replay, warehouse)
    assert subject.fixture.password
    subject.fault("http_500")
    with pytest.raises(PullFailed) as raised:
        subject.land()
    stored = subject.rows("select message, url from raw.fetch")
    assert subject.fixture.password not in str(raised.value) + str(stored)
