"""The invented register's API, as its client uses it: ``/vacancies/api/vacancies?page=N``."""

from __future__ import annotations

from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mobility_warehouse.snapshot.answers import answer
from mobility_warehouse.snapshot.faults import encode, record_faults
from mobility_warehouse.snapshot.store import Store
from mobility_warehouse.snapshot.vintages import vintage_of

PAGE_SIZE = 100


def routes(store: Store) -> list[BaseRoute]:
    """Routes below ``/vacancies``."""
    return [Route("/vacancies/api/vacancies", partial(_page, store))]


def error_in_200(body: bytes) -> bytes:
    """The register reports its errors like this."""
    return encode({"error": "the register is closed"})


async def _page(store: Store, request: Request) -> Response:
    entry = store.entry("vacancies", "vacancy", vintage_of(request))
    if entry is None:
        return Response(status_code=404)
    faults = record_faults(request)
    records = faults.edit([msgspec.json.decode(line) for line in store.lines(entry)])
    number = int(request.query_params.get("page", "1"))
    shown = faults.page(records, (number - 1) * PAGE_SIZE, PAGE_SIZE)
    head = {"page": number, "pages": -(-len(records) // PAGE_SIZE), "total": len(records)}
    return answer(request, encode({**head, "vacancies": shown}), published=entry.published)
