"""The replayed dissemination API of Eurostat, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

API = "/eurostat/api/dissemination"
DATA = f"{API}/statistics/1.0/data"


def ask(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.json()


def value(body: dict[str, Any], **codes: str) -> float | None:
    """The value of one cell, found as JSON-stat says: row-major over the dimensions."""
    position = 0
    for name, size in zip(body["id"], body["size"], strict=True):
        index = body["dimension"][name]["category"]["index"]
        position = position * size + (index[codes[name]] if name in codes else 0)
    found: float | None = body["value"].get(str(position))
    return found


def test_a_cube_has_the_wire_shape(client: httpx.Client) -> None:
    body = ask(client, f"{DATA}/hlth_rs_prs2?format=JSON&lang=EN")
    assert (body["version"], body["class"], body["source"]) == ("2.0", "dataset", "ESTAT")
    assert body["id"] == ["freq", "unit", "wstatus", "med_spec", "geo", "time"]
    assert body["size"] == [1, 1, 1, 2, 28, 4]
    assert len(body["value"]) == 201
    # Positions without a value are left out.
    assert None not in body["value"].values()
    assert value(body, med_spec="PHYS", geo="DE", time="2023") == 466.27
    assert value(body, med_spec="NRS", geo="DE", time="2023") == 1224.68
    assert value(body, med_spec="PHYS", geo="EU27_2020", time="2023") is None


def test_filters_repeat_and_a_comma_gives_nothing_and_no_error(client: httpx.Client) -> None:
    both = ask(client, f"{DATA}/hlth_rs_prs2?format=JSON&geo=DE&geo=AT&sinceTimePeriod=2022")
    assert both["size"] == [1, 1, 1, 2, 2, 2]
    assert len(both["value"]) == 8
    joined = ask(client, f"{DATA}/hlth_rs_prs2?format=JSON&geo=DE,AT")
    assert (joined["value"], joined["status"]) == ({}, {})


def test_flags_stand_beside_values_and_alone(client: httpx.Client) -> None:
    body = ask(client, f"{DATA}/hlth_rs_wkmg?format=JSON")
    alone = body["status"].keys() - body["value"].keys()
    assert {body["status"][position] for position in alone} == {"c", ":"}
    assert {"p", "b", "de"} <= set(body["status"].values())


@pytest.mark.parametrize(
    ("path", "status", "number", "label"),
    [
        ("hlth_rs_none?format=JSON", 404, 100, "ERR_NOT_FOUND_4"),
        ("hlth_rs_prs2?format=JSON&fromTimePeriod=2020", 400, 150, "INVALID_QUERY_DIMENSION"),
        ("hlth_rs_prs2?format=XLS", 400, 150, "INVALID_QUERY_FORMAT"),
    ],
)
def test_errors_are_json_with_their_status(
    client: httpx.Client, path: str, status: int, number: int, label: str
) -> None:
    answer = client.get(f"{DATA}/{path}")
    (error,) = answer.json()["error"]
    assert (answer.status_code, error["status"], error["id"]) == (status, status, number)
    assert error["label"].startswith(label)


def test_the_catalogue_names_the_day_of_each_vintage(client: httpx.Client) -> None:
    def days(vintage: int) -> dict[str, set[str]]:
        lines = client.get(f"/vintage-{vintage}{API}/catalogue/toc/txt?lang=en").text.splitlines()
        cells = [[cell.strip('"').strip() for cell in line.split("\t")] for line in lines]
        found: dict[str, set[str]] = {}
        for row in cells[1:]:
            if row[2] == "dataset":
                found.setdefault(row[1], set()).add(row[3])
        return found

    assert days(1) == {"hlth_rs_prs2": {"15.01.2026"}, "hlth_rs_wkmg": {"10.07.2025"}}
    assert days(2) == {"hlth_rs_prs2": {"15.01.2026"}, "hlth_rs_wkmg": {"19.02.2026"}}
