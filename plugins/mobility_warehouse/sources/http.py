"""The HTTP client of every source: patient with servers that fail, polite, and honest about what failed."""

from __future__ import annotations

import ipaddress
import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from types import TracebackType
from typing import Self
from urllib.request import getproxies

import httpx
import tenacity

from mobility_warehouse.sources.declaration import Answer, Request, SourceError
from mobility_warehouse.sources.inbox import FileTransport

logger = logging.getLogger(__name__)

# httpx logs whole URLs at INFO; one may carry credentials that ``Request.public_url`` leaves out.
logging.getLogger("httpx").setLevel(logging.WARNING)

USER_AGENT = f"health-worker-mobility-warehouse/{version('mobility-warehouse')}"

RETRYABLE_STATUSES = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Patience and manners of a client; all times in seconds.

    ``min_interval`` is the least time between the starts of two requests to one host; None means 0.2 s
    to other machines and none to this one. ``total_timeout`` bounds one try, from request to last byte.
    A server that asks for more than ``max_retry_after`` is left alone at once.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    total_timeout: float = 600.0
    max_body_bytes: int = 512 * 1024 * 1024
    tries: int = 5
    first_backoff: float = 1.0
    max_backoff: float = 60.0
    max_retry_after: float = 120.0
    min_interval: float | None = None


class FetchError(SourceError):
    """A request that got no usable answer, after ``tries`` tries.

    ``url`` holds no secret. ``status`` and ``answer`` are the last ones received, None where nothing came.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str,
        tries: int,
        retryable: bool,
        status: int | None = None,
        answer: Answer | None = None,
    ) -> None:
        super().__init__(message, retryable=retryable)
        self.url = url
        self.tries = tries
        self.status = status
        self.answer = answer


class _TryError(Exception):
    """One try that failed."""

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = True,
        answer: Answer | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.answer = answer
        self.retry_after = retry_after


@cache
def trusted_certificates() -> ssl.SSLContext:
    """The authorities that every client trusts; reading them takes longer than most requests."""
    return httpx.create_ssl_context()


class Client:
    """A synchronous client, to be used as a context manager; keeps connections open between requests.

    ``file://`` addresses are served by ``files``, this installation's inbox where None.
    """

    def __init__(
        self, settings: HttpSettings | None = None, *, files: httpx.BaseTransport | None = None
    ) -> None:
        # Not at the top: urllib3 binds a socket when imported, to learn of IPv6, and DAG files import this.
        from mobility_warehouse.http_transport import PooledTransport

        self.settings = settings or HttpSettings()
        # Beside the HTTP client and not in it: no server can lead a reader to a file by a redirect.
        self._files = files or FileTransport()
        self._last_sent: dict[str, float] = {}
        pooled, proxies = PooledTransport(trusted_certificates), getproxies()
        self._http = httpx.Client(
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
                "Accept-Language": "en",
            },
            timeout=httpx.Timeout(self.settings.read_timeout, connect=self.settings.connect_timeout),
            # httpx's own way, which takes longer to load than many a pull, is for proxies alone. Where the
            # environment names one for a scheme, it comes before ours.
            transport=None if proxies else pooled,
            mounts={} if "all" in proxies else {"all://": pooled},
            verify=trusted_certificates() if proxies else True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()
        self._files.close()

    def send(
        self,
        request: Request,
        *,
        conditional_headers: Mapping[str, str] | None = None,
        check: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """The answer to the request, whole, of whatever status below 500.

        Server errors, 408, 425 and 429, refused and cut connections and timeouts are tried again with
        exponential backoff and jitter, as is an answer that ``check`` refuses with a retryable
        SourceError. A 304 to the ``conditional_headers`` gives ``not_modified``; they are not sent where
        the request says ``conditional=False``. Raises FetchError that names the URL, the last status
        and the number of tries.
        """
        conditions = dict(conditional_headers or {}) if request.conditional else {}
        try:
            url = public_url(request)
        except httpx.InvalidURL as error:
            # The URL itself may hold a password; the message says what is wrong with it.
            raise FetchError(f"invalid URL: {error}", url="", tries=0, retryable=False) from error

        def attempt() -> Answer:
            answer = self._try_once(request, conditions)
            if check is not None and not answer.not_modified:
                try:
                    check(answer)
                except SourceError as error:
                    raise _TryError(str(error), retryable=error.retryable, answer=answer) from error
            return answer

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.settings.tries),
            wait=self._wait,
            retry=tenacity.retry_if_exception(self._is_worth_another_try),
            before_sleep=lambda state: logger.warning(
                "%s: %s; trying again in %.1f s (try %d of %d)",
                url,
                state.outcome.exception() if state.outcome else None,
                state.upcoming_sleep,
                state.attempt_number,
                self.settings.tries,
            ),
            reraise=True,
        )
        try:
            return retrying(attempt)
        except _TryError as fault:
            tries = int(retrying.statistics["attempt_number"])
            raise FetchError(
                f"{fault} ({request.method} {url}, {tries} {'try' if tries == 1 else 'tries'})",
                url=url,
                tries=tries,
                retryable=fault.retryable,
                status=fault.answer.status if fault.answer else None,
                answer=fault.answer,
            ) from fault

    def _is_worth_another_try(self, error: BaseException) -> bool:
        if not isinstance(error, _TryError) or not error.retryable:
            return False
        return error.retry_after is None or error.retry_after <= self.settings.max_retry_after

    def _wait(self, state: tenacity.RetryCallState) -> float:
        first, most = self.settings.first_backoff, self.settings.max_backoff
        backoff = tenacity.wait_exponential(multiplier=first, max=most) + tenacity.wait_random(0, first)
        fault = state.outcome.exception() if state.outcome else None
        asked = fault.retry_after if isinstance(fault, _TryError) else None
        return max(asked or 0.0, backoff(state))

    def _try_once(self, request: Request, conditions: Mapping[str, str]) -> Answer:
        if not _is_file(request):
            self._be_polite(request.url)
        requested_at = datetime.now(UTC)
        started = time.monotonic()
        try:
            with self._response(request, conditions) as response:
                body = self._body(response, started)
                status, headers = response.status_code, dict(response.headers)
        except httpx.TimeoutException as error:
            raise _TryError(f"timed out after {time.monotonic() - started:.1f} s") from error
        except httpx.RemoteProtocolError as error:
            raise _TryError(f"connection cut before the answer was whole: {error}") from error
        except (httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
            raise _TryError(f"{type(error).__name__}: {error}", retryable=False) from error
        except httpx.RequestError as error:
            raise _TryError(f"{type(error).__name__}: {error}") from error
        answer = Answer(
            request=request,
            status=status,
            headers=headers,
            body=body,
            requested_at=requested_at,
            elapsed=timedelta(seconds=time.monotonic() - started),
            not_modified=status == HTTPStatus.NOT_MODIFIED,
        )
        if answer.not_modified and not conditions:
            raise _TryError("HTTP 304 to a request that set no condition", answer=answer)
        if status >= 500 or status in RETRYABLE_STATUSES:
            raise _TryError(
                f"HTTP {status} {response.reason_phrase}".rstrip(),
                answer=answer,
                retry_after=_retry_after(headers.get("retry-after")),
            )
        return answer

    @contextmanager
    def _response(self, request: Request, conditions: Mapping[str, str]) -> Iterator[httpx.Response]:
        headers = {**request.headers, **conditions}
        if _is_file(request):
            yield self._files.handle_request(httpx.Request(request.method, request.url, headers=headers))
            return
        with self._http.stream(
            request.method,
            request.url,
            headers=headers,
            content=request.body,
            # A body may hold credentials: it never follows a redirect to another place.
            follow_redirects=request.method == "GET",
        ) as response:
            yield response

    def _body(self, response: httpx.Response, started: float) -> bytes:
        limit = self.settings.max_body_bytes
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > limit:
                raise _TryError(f"answer is larger than {limit:,} bytes", retryable=False)
            if time.monotonic() - started > self.settings.total_timeout:
                raise _TryError(
                    f"answer not whole after {self.settings.total_timeout:g} s ({size:,} bytes received)"
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _be_polite(self, url: str) -> None:
        host = httpx.URL(url).host
        interval = self.settings.min_interval
        if interval is None:
            interval = 0.0 if _is_loopback(host) else 0.2
        now = time.monotonic()
        wait = self._last_sent.get(host, now - interval) + interval - now
        if wait > 0:
            time.sleep(wait)
        self._last_sent[host] = time.monotonic()


def _is_file(request: Request) -> bool:
    return httpx.URL(request.url).scheme == "file"


def public_url(request: Request) -> str:
    """The request's URL as logs may show it: ``public_url`` where given, never user or password."""
    if request.public_url is not None:
        return request.public_url
    url = httpx.URL(request.url)
    return str(url.copy_with(username=None, password=None)) if url.userinfo else request.url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
