"""The contenders, each run in a process of its own: ``python -m benchmarks.contenders NAME URL DATABASE``.

Prints one line of JSON: seconds from before the first request until the last commit, the processor seconds
that the process spent in them, its greatest resident memory in MB, and the rows that were written. Imports
and the deployment of tables are not timed.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from http.client import HTTPConnection
from io import BytesIO
from typing import Any, LiteralString
from urllib.parse import urlsplit

import msgspec
import orjson
import polars as pl
import psycopg
from psycopg.copy import QueuedLibpqWriter

from benchmarks import FLOORS
from benchmarks.observations import INDICATOR
from benchmarks.server import PATH
from mobility_warehouse.sources.who_gho import OBSERVATION


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run took; ``busy`` is the process's own processor time, ``written`` counts rows inserted or
    revised."""

    seconds: float
    busy: float
    peak_mb: float
    written: int


# -- floor --------------------------------------------------------------------------------------------------


class _RawPage(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


class _NextLink(msgspec.Struct):
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


def _wire_schema() -> dict[str, pl.DataType]:
    """Fields as the API names them, in the order of the declaration."""
    return {
        "".join(part.capitalize() for part in column.name.split("_")): column.type.polars
        for column in OBSERVATION.columns
    }


def _pages(url: str) -> Iterator[bytes]:
    """The bodies, the next one fetched while the last is parsed."""
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port)
    next_link = msgspec.json.Decoder(_NextLink)

    def fetch(path: str) -> bytes:
        connection.request("GET", path)
        return connection.getresponse().read()

    with ThreadPoolExecutor(1) as fetcher:
        fetching = fetcher.submit(fetch, PATH)
        while True:
            body = fetching.result()
            # The link stands behind the records: decoding the tail alone spares decoding the page twice.
            link = next_link.decode(
                b"{" + body[body.rfind(b"]") + 2 :] if body[-2:] != b"]}" else b"{}"
            ).next_link
            if link is not None:
                fetching = fetcher.submit(fetch, link)
            yield body
            if link is None:
                return


def _ndjson(body: bytes) -> pl.DataFrame:
    raws = msgspec.json.decode(body, type=_RawPage).value
    return pl.read_ndjson(b"\n".join(raws), schema=_wire_schema())


def _whole_json(body: bytes) -> pl.DataFrame:
    schema = {"value": pl.List(pl.Struct(_wire_schema()))}
    return pl.read_json(body, schema=schema).explode("value").unnest("value")


def _typed(body: bytes) -> pl.DataFrame:
    rows = list(map(msgspec.structs.astuple, _typed_decoder().decode(body).value))
    return pl.DataFrame(rows, schema=_wire_schema(), orient="row")


@cache
def _typed_decoder() -> Any:
    python_types = {pl.String(): str, pl.Int64(): int, pl.Float64(): float}
    fields = [(name, python_types[dtype] | None) for name, dtype in _wire_schema().items()]
    row = msgspec.defstruct("_TypedRow", fields, gc=False)
    return msgspec.json.Decoder(msgspec.defstruct("_TypedPage", [("value", list[row])]))  # type: ignore[valid-type]


def _orjson(body: bytes) -> pl.DataFrame:
    return pl.DataFrame(orjson.loads(body)["value"], schema=_wire_schema())


def _floor(parse: Callable[[bytes], pl.DataFrame]) -> Callable[[str, str], Measured]:
    """Fetch, parse, one COPY into a table created in the same transaction, so that it needs no WAL."""

    def run(url: str, database: str) -> Measured:
        columns = ", ".join(f'"{column.name}" {column.type.value}' for column in OBSERVATION.columns)
        gc.disable()
        started = _now()
        with psycopg.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(f"create table floor ({columns})")
            # The queued writer sends from a thread of its own, while the next page is parsed.
            with cursor.copy("copy floor from stdin (format csv)", writer=QueuedLibpqWriter(cursor)) as copy:
                for body in _pages(url):
                    lines = BytesIO()
                    parse(body).write_csv(lines, include_header=False)
                    copy.write(lines.getvalue())
            written = cursor.rowcount
        return _measured(started, written)

    return run


def _now() -> tuple[float, float]:
    """Wall and processor seconds, all threads included."""
    return time.perf_counter(), time.process_time()


def _measured(started: tuple[float, float], written: int) -> Measured:
    seconds, busy = (now - then for now, then in zip(_now(), started, strict=True))
    return Measured(seconds, busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, written)


# -- ours ---------------------------------------------------------------------------------------------------


def _ours(url: str, database: str) -> Measured:
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.pool import NullPool

    import mobility_warehouse.http_transport  # noqa: F401 - a client imports it when made, within the time
    from mobility_warehouse.database.deploy import deploy
    from mobility_warehouse.database.engine import warehouse_engine
    from mobility_warehouse.landing.pull import pull
    from mobility_warehouse.sources.declaration import Slice, SourceConnection
    from mobility_warehouse.sources.http import Client
    from mobility_warehouse.sources.who_gho import SOURCE

    address = make_url(database).set(drivername="postgresql+psycopg")
    deploy(create_engine(address, poolclass=NullPool), [SOURCE])
    engine = warehouse_engine("ingest", address)
    started = _now()
    with Client() as client:
        connection = SourceConnection(f"{url}/api")
        report = pull(engine, SOURCE, Slice("observation", INDICATOR), connection, client=client)
    return _measured(started, report.inserted + report.revised)


# -- others -------------------------------------------------------------------------------------------------


def _dlt(url: str, database: str) -> Measured:
    """The REST API source with its own paging, into PostgreSQL, as dlt does it by default."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt
    from dlt.destinations import postgres
    from dlt.sources.rest_api import rest_api_source

    with tempfile.TemporaryDirectory(prefix="mobility-benchmark-dlt-") as folder:
        pipeline = dlt.pipeline(
            "benchmark", pipelines_dir=folder, destination=postgres(database), dataset_name="landed"
        )
        source = rest_api_source(
            {
                "client": {
                    "base_url": f"{url}/api/",
                    "paginator": {"type": "json_link", "next_url_path": "'@odata.nextLink'"},
                },
                "resources": [
                    {"name": "observation", "endpoint": {"path": INDICATOR, "data_selector": "value"}}
                ],
            }
        )
        started = _now()
        pipeline.run(source).raise_on_failed_jobs()
        return _measured(started, _rows(database, "landed.observation"))


def _pandas(url: str, database: str) -> Measured:
    """A frame a page, appended with ``to_sql`` and its default method; ``multi`` takes many times as long."""
    import pandas  # type: ignore[import-untyped]
    from sqlalchemy import create_engine, make_url

    engine = create_engine(make_url(database).set(drivername="postgresql+psycopg"))
    started = _now()
    with engine.begin() as connection:
        for body in _pages(url):
            frame = pandas.json_normalize(json.loads(body)["value"])
            frame.to_sql("observation", connection, if_exists="append", index=False, chunksize=10_000)
    return _measured(started, _rows(database, "observation"))


def _rows(database: str, table: LiteralString) -> int:
    with psycopg.connect(database) as connection:
        counted = connection.execute(f"select count(*) from {table}").fetchone()
    return int(counted[0]) if counted else 0


CONTENDERS: dict[str, Callable[[str, str], Measured]] = {
    FLOORS[0]: _floor(_ndjson),
    FLOORS[1]: _floor(_whole_json),
    FLOORS[2]: _floor(_typed),
    FLOORS[3]: _floor(_orjson),
    "ours": _ours,
    "dlt": _dlt,
    "pandas": _pandas,
}


def main() -> None:
    """Run the contender that the arguments name."""
    name, url, database = sys.argv[1:]
    os.environ.pop("MOBILITY_DATABASE_URL", None)
    print(json.dumps(asdict(CONTENDERS[name](url, database))))


if __name__ == "__main__":
    main()
