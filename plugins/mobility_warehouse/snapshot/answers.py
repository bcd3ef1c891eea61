"""Answers with validators: ETag, Last-Modified and 304 to conditional requests."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response

from mobility_warehouse.snapshot.faults import record_faults


def answer(
    request: Request, body: bytes, *, published: date | None = None, media_type: str = "application/json"
) -> Response:
    """The body with its ETag, or 304 where the request already holds it.

    ``published`` becomes Last-Modified, unless a fault changed the records.
    """
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    modified = datetime.combine(published, time(), UTC) if published and not record_faults(request) else None
    if modified is not None:
        headers["Last-Modified"] = format_datetime(modified, usegmt=True)
    if _holds(request, etag, modified):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def _holds(request: Request, etag: str, modified: datetime | None) -> bool:
    given = request.headers.get("if-none-match")
    if given is not None:
        tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
        return "*" in tags or etag in tags
    since = request.headers.get("if-modified-since")
    if since is None or modified is None:
        return False
    try:
        return modified <= parsedate_to_datetime(since)
    except ValueError:
        return False
