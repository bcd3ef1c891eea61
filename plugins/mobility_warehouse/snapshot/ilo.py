"""NORMLEX's page of a convention over the ratifications that the snapshot holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse.snapshot.answers import answer
from mobility_warehouse.snapshot.faults import Record, record_faults
from mobility_warehouse.snapshot.store import Store
from mobility_warehouse.snapshot.vintages import vintage_of
from mobility_warehouse.sources.ilo import INSTRUMENTS

SOURCE = "ilo"
#: Path of the replayed server below ``/ilo``: none.
BASE_PATH = ""

_TITLES = {
    "C097": "Migration for Employment Convention (Revised), 1949 (No. 97)",
    "C143": "Migrant Workers (Supplementary Provisions) Convention, 1975 (No. 143)",
    "C149": "Nursing Personnel Convention, 1977 (No. 149)",
    "C181": "Private Employment Agencies Convention, 1997 (No. 181)",
}


def routes(store: Store) -> list[BaseRoute]:
    """The application's one address; the page and the instrument are in its parameter ``p``."""

    async def page(request: Request) -> Response:
        instrument = _asked(request.query_params.get("p", ""))
        if instrument is None:
            return HTMLResponse(error_in_200(b""))
        entry = store.entry(SOURCE, f"ratification_{instrument}", vintage_of(request))
        if entry is None:
            return Response(status_code=404)
        records = record_faults(request).edit([json.loads(line) for line in store.lines(entry)])
        body = _page(instrument, records).encode()
        return answer(request, body, published=entry.published, media_type="text/html")

    return [Route("/ilo/dyn/nrmlx_en/f", page)]


def error_in_200(body: bytes) -> bytes:
    """The application server's own error page."""
    return (
        b"<!DOCTYPE html><html><head><title>Error</title></head><body>"
        b'<p class="error">ERR-1002 Unable to find item ID for item in application 1000.</p></body></html>'
    )


def _asked(parameter: str) -> str | None:
    number = parameter.rpartition(":")[2]
    return next((name for name, own in INSTRUMENTS.items() if str(own) == number), None)


def _page(instrument: str, records: Sequence[Record]) -> str:
    denounced = [record for record in records if "enounced" in str(record.get("note") or "")]
    standing = [record for record in records if record not in denounced]
    tables = _table(standing) + (f"<h3>Denunciation</h3>{_table(denounced)}" if denounced else "")
    title = f"{instrument} - {_TITLES[instrument]}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<title>Ratifications of ILO conventions: Ratifications by Convention</title></head>\n"
        f"<body><h2>Ratifications of {title}</h2>\n"
        f"{tables}</body></html>\n"
    )


def _table(records: Sequence[Record]) -> str:
    head = "<tr><th>Country</th><th>Date</th><th>Status</th><th>Note</th></tr>"
    return f'<table class="horizontalLine">\n{head}\n{"".join(map(_row, records))}</table>\n'


def _row(record: Record) -> str:
    country, ratified, status, note = (
        escape(str(record.get(name) or "")) for name in ("country", "ratified", "status", "note")
    )
    link = f'<a href="f?p=NORMLEXPUB:11200">{country}</a>'
    return (
        f'<tr><td class="firstCol">{link if country else ""}</td><td>{ratified}</td>'
        f"<td>{status}   </td><td>{note}</td></tr>\n"
    )
