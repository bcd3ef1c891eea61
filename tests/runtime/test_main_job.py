"""`mobility run`, whole: real services in a home of the test, the shipped snapshot, Airflow in between."""

from __future__ import annotations

import contextlib
import json
import os
import re

import httpx
import psutil
import pytest

from mobility_warehouse.airflow_api import AirflowApi
from mobility_warehouse.services import ADMIN
from mobility_warehouse.sources.registry import sources
from tests.published import Published

pytestmark = pytest.mark.slow


def test_the_main_job_publishes_and_sums_up(published: Published) -> None:
    run = published.first_run
    assert run.returncode == 0, run.stdout + run.stderr
    for source in sources().values():
        assert re.search(
            rf"pull {re.escape(source.title)}.*success .* {len(source.slices())} slices", run.stdout
        )
        assert re.search(rf"│ {source.name} ", run.stdout)
    assert re.search(r"Publication 1: [\d,]+ rows changed\.", run.stdout)
    for told in ("Where the time went", "Data Docs", "http://127.0.0.1:", "mobility down"):
        assert told in run.stdout


def test_what_was_read_is_accounted_for(published: Published) -> None:
    listed = json.loads(published.ask("fetches", "--limit", "1000", "--format", "json").stdout)
    # Of a slice whose files come one by one each is a fetch of its own.
    assert {(fetch["source"], fetch["resource"], fetch["slice"]) for fetch in listed} == {
        (source.name, part.resource, part.name) for source in sources().values() for part in source.slices()
    }
    for fetch in listed:
        assert fetch["outcome"] == "loaded"
        counted = ("inserted", "revised", "unchanged", "noise", "duplicate", "absent", "quarantined")
        assert fetch["read"] == sum(fetch[name] for name in counted)


def test_sources_tell_what_they_hold_how_fresh_and_of_what_kind(published: Published) -> None:
    listed = {row["source"]: row for row in json.loads(published.ask("sources", "--format", "json").stdout)}
    assert set(listed) == set(sources())
    for name, row in listed.items():
        assert row["current"] >= row["slices"], name
        assert row["records"] > 0, name
        assert float(row["days ago"]) < 1, name
        assert row["stale keys"] == 0, name
    figures = {name: row["figures"] for name, row in listed.items()}
    assert (figures["who_gho"], figures["limesurvey"], figures["oecd"]) == ("real", "synthetic", "mixed")


def test_marts_and_gates_are_readable_by_the_analyst(published: Published) -> None:
    marts = published.rows("select mart, rows, inserted from quality.publication_mart")
    assert len(marts) >= 12
    assert all(mart["rows"] == mart["inserted"] for mart in marts)
    counted = published.rows(
        " union all ".join(
            f"select '{mart['mart']}' as mart, count(*) as rows from marts.{mart['mart']}" for mart in marts
        )
    )
    assert {row["mart"]: row["rows"] for row in counted} == {mart["mart"]: mart["rows"] for mart in marts}
    gates = published.rows(
        "select gate, subject, passed from quality.gate "
        "where run_id = (select run_id from quality.publication where publication_id = 1) "
        "order by gate, subject"
    )
    assert gates == [
        {"gate": "mart", "subject": "marts", "passed": True},
        *({"gate": "raw", "subject": name, "passed": True} for name in sources()),
    ]


def test_the_suspicious_is_published_and_kept_for_review(published: Published) -> None:
    """The World Bank's own figures of the last year, of which it had counted a part."""
    cases = published.rows(
        "select row_key ->> 'country_iso3' as country, figure, compared_with, fetch_ids from quality.review "
        "where rule = 'received_collapsed_in_latest_year' and status = 'open' and not is_synthetic"
    )
    assert {case["country"] for case in cases} == {"PHL", "RUS", "KWT", "MAC", "PNG"}
    (philippines,) = [case for case in cases if case["country"] == "PHL"]
    assert round(philippines["figure"] / 1e9, 1) == 9.1
    assert round(philippines["compared_with"] / 1e9, 1) == 36.7
    (pull,) = published.rows(
        "select marts_row.fetch_ids from marts.remittances as marts_row "
        "where country_iso3 = 'PHL' and year = 2022 and measure = 'received_usd'"
    )
    assert set(pull["fetch_ids"]) <= set(philippines["fetch_ids"])
    found = {row["rule"] for row in published.rows("select distinct rule from quality.review")}
    assert found >= {
        "doctors_halved",
        "density_inconsistent_with_population",
        "reported_stock_differs_from_gho",
    }
    assert "suspicious cases wait for a person" in published.first_run.stdout


def test_everything_listens_on_loopback_alone(published: Published) -> None:
    known = json.loads((published.home / "runtime.json").read_text())["processes"]
    listening = []
    for service in known.values():
        leader = psutil.Process(service["pid"])
        for process in (leader, *leader.children(recursive=True)):
            # A process of Airflow's that holds secrets lets root alone look at its sockets.
            with contextlib.suppress(*([] if os.getuid() == 0 else [psutil.AccessDenied])):
                listening += [
                    connection.laddr
                    for connection in process.net_connections("inet")
                    if connection.status == psutil.CONN_LISTEN
                ]
    assert {address.ip for address in listening} <= {"127.0.0.1", "::1"}
    served = {
        httpx.URL(url or "").port for url in (published.services.airflow_url, published.services.replay_url)
    }
    assert served <= {address.port for address in listening}


def test_airflow_has_a_ui_and_lets_nobody_in_without_the_password(published: Published) -> None:
    url = published.services.airflow_url
    assert url is not None
    assert "<html" in httpx.get(url, follow_redirects=True).text
    assert httpx.get(f"{url}/api/v2/dags").status_code == 401
    refused = httpx.post(f"{url}/auth/token", json={"username": ADMIN, "password": ADMIN})
    assert refused.status_code == 401
    with AirflowApi(url, ADMIN, published.services.airflow_password()) as api:
        api.wait_for_dags(["publish_by_model", "upkeep"], 120)


def test_the_data_docs_are_served_to_whoever_is_logged_in(published: Published) -> None:
    services = published.services
    page = f"{services.airflow_url}/data-docs/"
    assert httpx.get(page).status_code == 401
    login = {"username": "viewer", "password": services.airflow_password("viewer")}
    token = httpx.post(f"{services.airflow_url}/auth/token", json=login).json()["access_token"]
    with httpx.Client(cookies={"_token": token}) as browser:
        assert "Data Docs" in browser.get(page).text
        assert browser.get(f"{page}%2e%2e/secrets/database.json").status_code == 404


def test_status_says_where_everything_is(published: Published) -> None:
    status = published.ask("status")
    assert status.returncode == 0
    assert status.stdout.count(" up ") == 3


def test_a_figure_is_traced_to_its_answer(published: Published) -> None:
    (row,) = published.rows(
        "select country_iso3, year, measure from marts.remittances where not is_synthetic limit 1"
    )
    key = [f"{name}={value}" for name, value in row.items()]
    traced = json.loads(published.ask("trace", "remittances", *key, "--format", "json").stdout)
    assert traced["row"]["country_iso3"] == row["country_iso3"]
    assert {record["source"] for record in traced["records"]} == {"world_bank"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", record["sha256"]) for record in traced["records"])


def test_a_row_of_every_mart_is_traced_unless_the_mart_rests_on_reviewed_tables(
    published: Published,
) -> None:
    """One row of each, as the analyst: records or answers of a source stand behind it."""
    keys = published.rows(
        "select relation.relname as mart, string_agg(format('%1$L, %1$I', attname), ', ') as key "
        "from pg_constraint join pg_class as relation on relation.oid = conrelid "
        "join pg_attribute as attribute on attrelid = conrelid and attnum = any(conkey) "
        "where contype = 'p' and connamespace = 'marts'::regnamespace group by relation.relname"
    )
    marts = {row["mart"] for row in published.rows("select mart from quality.publication_mart")}
    assert {row["mart"] for row in keys} == marts
    traced = published.rows(
        " union all ".join(
            f"(select '{row['mart']}' as mart, sources from (select jsonb_build_object({row['key']}) as key "
            f"from marts.{row['mart']} where cardinality(fetch_ids) > 0 order by random() limit 1) as one "
            f"cross join lateral (select count(distinct traced.source) as sources "
            f"from marts.trace('{row['mart']}', one.key) as traced) as counted)"
            for row in keys
        )
    )
    assert [row for row in traced if row["sources"] == 0] == []
    assert all(
        mart.startswith("dim_") or mart == "instruments" for mart in marts - {row["mart"] for row in traced}
    )


def test_a_slice_that_cannot_be_pulled_is_named_and_the_last_good_state_stands(
    published: Published,
) -> None:
    before = published.rows("select mart, content_hash from quality.publication_mart order by mart")
    replay = published.services.replay_url
    httpx.post(f"{replay}/_replay/faults", json={"match": "HWF_0006", "fault": "html"}).raise_for_status()
    try:
        run = published.ask("run", "who_gho", "unsd")
    finally:
        httpx.delete(f"{replay}/_replay/faults").raise_for_status()
    assert run.returncode == 1
    pulls = re.findall(r"^pull (.+?) {2,}(\w+)", run.stdout, re.MULTILINE)
    titles = [sources()[name].title for name in ("who_gho", "unsd")]
    assert sorted(pulls) == sorted(zip(titles, ("failed", "success"), strict=True)), "those asked for alone"
    assert "failed: observation" in run.stdout
    assert re.search(r"pull_who_gho observation: .*PullFailed: who_gho observation HWF_0006", run.stdout)
    answer = published.ask("fetches", "--source", "who_gho", "--outcome", "unchanged", "--format", "json")
    landed = {fetch["slice"] for fetch in json.loads(answer.stdout)}
    assert landed == {part.name for part in sources()["who_gho"].slices()} - {"HWF_0006"}
    assert "Publication 2: nothing changed." in run.stdout
    after = published.rows(
        "select mart, content_hash from quality.publication_mart where publication_id = 2 order by mart"
    )
    assert after == before


def test_down_stops_everything_and_what_was_published_is_there_again_on_demand(
    published: Published,
) -> None:
    (before,) = published.rows("select count(*) as publications from quality.publication")
    assert before["publications"] >= 1
    known = json.loads((published.home / "runtime.json").read_text())["processes"]
    leaders = [psutil.Process(service["pid"]) for service in known.values()]
    members = [one for leader in leaders for one in (leader, *leader.children(recursive=True))]
    stopped = published.ask("down")
    assert stopped.stdout == "stopped airflow, replay, database\n"
    _, alive = psutil.wait_procs(members, timeout=10)
    assert alive == []
    assert published.ask("status").returncode == 1
    (counted,) = published.rows("select count(*) as publications from quality.publication")
    assert counted == before
