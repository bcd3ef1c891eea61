"""Answers made by hand, and conversations held without a server: for what no server would say twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from mobility_warehouse.sources.declaration import (
    Answer,
    Request,
    Slice,
    Source,
    SourceConnection,
    SourceError,
)

CONNECTION = SourceConnection("http://127.0.0.1:9/api")


def answer(body: object, status: int = 200, request: Request | None = None) -> Answer:
    """An answer with that body: bytes as they are, anything else as JSON."""
    return Answer(
        request=request or Request(CONNECTION.base_url),
        status=status,
        headers={},
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        requested_at=datetime.now(UTC),
        elapsed=timedelta(0),
    )


def converse(source: Source, part: Slice, pages: Sequence[object]) -> list[str]:
    """The URLs that the conversation asks for when it is given those pages; fails when it wants more."""
    urls: list[str] = []
    conversation = source.conversation(part, CONNECTION)
    remaining = list(pages)
    try:
        request = next(conversation)
        while True:
            urls.append(request.url)
            given = answer(remaining.pop(0), request=request)
            source.check(part, given)
            request = conversation.send(given)
    except StopIteration:
        assert not remaining, "the conversation left pages unasked for"
        return urls


def refusal(source: Source, part: Slice, body: object, status: int = 200) -> SourceError:
    """The error with which the source refuses an answer."""
    with pytest.raises(SourceError) as raised:
        source.check(part, answer(body, status))
    return raised.value
