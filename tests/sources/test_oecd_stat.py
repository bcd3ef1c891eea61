"""What is OECD.Stat's own: exports of any selection, totals under a code of their own."""

from __future__ import annotations

import pytest

from mobility_warehouse.snapshot.server import ReplayServer
from mobility_warehouse.sources.declaration import Reading
from mobility_warehouse.sources.oecd_stat import SOURCE
from tests.sources.contract import pull
from tests.sources.fixtures_oecd_stat import FIXTURE

(PART,) = SOURCE.slices()
HEADER = "COU,Country,VAR,Variable,CO2,Country of origin,YEA,Year,Value,Flag Codes,Flags"
INDIA = "GBR,United Kingdom,FTDS,Foreign-trained doctors - Stock,IND,India,2018,2018,15870,,"
TOTAL = '"HUN","Hungary","TNBD","Total number of doctors","TOT","Total","2015","2015",30486,"B","Break"'


def read(*lines: str, header: str = HEADER) -> Reading:
    body = "".join(f"{line}\r\n" for line in (header, *lines)).encode("utf-8-sig")
    return SOURCE._reader(PART).read("oecd_stat observation health_wfmi", "HEALTH_WFMI_1.csv", body)


def test_details_and_totals_keep_their_codes_and_flags() -> None:
    reading = read(INDIA, TOTAL, INDIA.replace("15870", "0").replace("IND", "NRU"))
    assert reading.rejected == []
    names = ("country", "variable", "origin_country", "year", "value", "flag_codes")
    assert reading.frame.select(names).rows() == [
        ("GBR", "FTDS", "IND", 2018, 15870.0, None),
        ("HUN", "TNBD", "TOT", 2015, 30486.0, "B"),
        ("GBR", "FTDS", "NRU", 2018, 0.0, None),
    ]


def test_a_row_without_a_value_states_nothing() -> None:
    reading = read(INDIA.replace("15870", ""), INDIA.replace("15870", "..").replace("IND", "NRU"))
    assert (reading.read, reading.absent, reading.rejected, reading.frame.height) == (2, 2, [], 0)


def test_an_unknown_variable_is_drift() -> None:
    (bad,) = read(INDIA.replace("FTDS", "FTDF")).rejected
    assert (bad.reason, bad.field) == ("unknown_code", "VAR")


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        ("HEALTH_WFMI_26012023013130019.csv", True),
        ("health_wfmi.csv", True),
        ("HEALTH_STAT_08042020161419963.csv", False),
        ("HEALTH_WFMI_26012023013130019.csv.part", False),
    ],
)
def test_exports_are_known_by_the_name_that_the_service_gave_them(name: str, is_read: bool) -> None:
    assert (SOURCE.slice_of(name) is not None) == is_read


def test_the_export_of_the_snapshot_is_read(replay: ReplayServer) -> None:
    pulled = pull(SOURCE, PART, FIXTURE.connection(replay.url))
    counts = pulled.frame["variable"].value_counts().sort("variable").rows()
    assert counts == [("FTDS", 1576), ("TNBD", 336), ("TNBN", 286)]
    assert pulled.frame["flag_codes"].drop_nulls().value_counts().sort("flag_codes").rows() == [
        ("B", 7),
        ("D", 12),
    ]
