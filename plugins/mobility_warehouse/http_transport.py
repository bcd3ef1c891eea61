"""How bytes come from HTTP servers: urllib3 under the interface of httpx.

httpx's own transport copies every byte of a body five times on its way, urllib3 once: of 300 MB in pages of 6
that is 0.05 instead of 0.2 s of processor time alone, and twice as much beside other work.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import urllib3
from urllib3 import exceptions

# It logs whole URLs, also in warnings; one may carry credentials.
logging.getLogger("urllib3").setLevel(logging.ERROR)

#: Each read makes a buffer of that size, and one much larger is new memory every time.
_BYTES_AT_ONCE = 256 * 1024

#: What urllib3 raises, the most particular first, as httpx names it.
_FAULTS: tuple[tuple[type[exceptions.HTTPError], type[httpx.TransportError]], ...] = (
    # Of a connection that was refused urllib3 says, too, that it timed out.
    (exceptions.NewConnectionError, httpx.ConnectError),
    (exceptions.ConnectTimeoutError, httpx.ConnectTimeout),
    (exceptions.TimeoutError, httpx.ReadTimeout),
    (exceptions.SSLError, httpx.ConnectError),
    (exceptions.ProtocolError, httpx.RemoteProtocolError),
    (exceptions.HTTPError, httpx.NetworkError),
)


class PooledTransport(httpx.BaseTransport):
    """Connections that are kept open between requests, without proxies, redirects or tries of its own.

    Raises what httpx's own transport raises: ConnectError, ConnectTimeout, ReadTimeout, RemoteProtocolError
    where an answer is not whole, UnsupportedProtocol where the address is not of HTTP. ``certificates`` is
    asked for whom to trust when the first server behind TLS is.
    """

    def __init__(self, certificates: Callable[[], ssl.SSLContext]) -> None:
        self._certificates = certificates
        self._pools = urllib3.PoolManager(retries=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer's head at once, its body as it is read."""
        url, timeout = request.url, request.extensions.get("timeout", {})
        if url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"{url.scheme or 'no'} address instead of http or https")
        with _as_httpx():
            trust = {"ssl_context": self._certificates()} if url.scheme == "https" else {}
            pool = self._pools.connection_from_host(url.host, url.port, url.scheme, pool_kwargs=trust)
            response = pool.urlopen(
                request.method,
                url.raw_path.decode("ascii"),
                body=request.read() or None,
                headers=urllib3.HTTPHeaderDict(
                    (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
                ),
                redirect=False,
                timeout=urllib3.Timeout(connect=timeout.get("connect"), read=timeout.get("read")),
                preload_content=False,
                decode_content=False,
            )
        return httpx.Response(
            response.status,
            headers=list(response.headers.items()),
            stream=_Body(response),
            extensions={"reason_phrase": (response.reason or "").encode("ascii", errors="ignore")},
        )

    def close(self) -> None:
        """Close all connections."""
        # Cleared, pools would close theirs when the interpreter comes to collect them.
        for key in self._pools.pools.keys():  # noqa: SIM118 - it is no dictionary, and cannot be iterated
            self._pools.pools[key].close()
        self._pools.clear()


class _Body(httpx.SyncByteStream):
    """A body as it comes, still encoded."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            # What there is, without waiting for the buffer to fill: the reader looks at the clock in between.
            while piece := self._response.read1(_BYTES_AT_ONCE, decode_content=False):
                yield piece

    def close(self) -> None:
        # One that was not read to its end takes its connection with it.
        self._response.close()


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except exceptions.HTTPError as error:
        raise next(named(_said(error)) for kind, named in _FAULTS if isinstance(error, kind)) from error


def _said(error: exceptions.HTTPError) -> str:
    """The message, and the cause that urllib3 puts behind it."""
    parts = (
        f"{type(part).__name__} {part}" if isinstance(part, Exception) else str(part) for part in error.args
    )
    return " ".join(": ".join(parts).split())
