"""The inbox: files that people drop, seen as a server's listing and answers.

``<inbox>/<source>/`` is one source's folder. A ``file://`` address that ends in a slash answers with a JSON
listing of the folder's whole files, ``{"files": [{"name", "size", "modified", "sha256"}]}``; that of a file
answers with its bytes, an ETag and 304 to a conditional request. Servers that list files over HTTP, the
replay server above all, answer in the same shape.

A file counts as whole once it lay still for a while, bears no name that programs give to files they are still
writing, and matches its companion ``<name>.sha256`` where there is one.
"""

from __future__ import annotations

import enum
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Self

import httpx

from mobility_warehouse.settings import Settings

CHECKSUM_SUFFIX = ".sha256"

#: Names that programs give to what they are still writing, or to their own notes beside a file.
_TEMPORARY_NAME = re.compile(
    r"\.(part|partial|tmp|temp|crdownload|download|filepart|swp)$|~$|^~\$|^\.", re.IGNORECASE
)
_SHA256 = re.compile(r"^\s*([0-9a-fA-F]{64})\b")
_CHUNK = 1024 * 1024

_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
}


class State(enum.Enum):
    """Whether a file of the inbox may be read."""

    WHOLE = "whole"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Dropped:
    """One entry of a source's folder; ``why`` says why it is not whole.

    ``modified`` is the later of the times at which content and entry last changed, so that a copy which
    keeps the original's date is no older than its dropping. ``sha256`` (hex) is known of whole files alone.
    """

    name: str
    state: State
    why: str
    size: int
    modified: datetime
    sha256: str | None = None


class NotAllowed(Exception):
    """An address that leads out of the inbox, or to something that is no plain file."""


def media_type(name: str) -> str:
    """Content-Type of a file by its name."""
    return _MEDIA_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")


def look(folder: Path, settle: timedelta) -> list[Dropped]:
    """Everything in a source's folder but checksums, oldest first; empty where there is no such folder.

    A file that changed less than ``settle`` ago, or while its bytes were hashed, is still waiting.
    """
    if not folder.is_dir():
        return []
    names = sorted(entry for entry in os.listdir(folder) if not entry.endswith(CHECKSUM_SUFFIX))
    found = [_look_at(folder, name, settle) for name in names]
    return sorted((each for each in found if each is not None), key=lambda each: (each.modified, each.name))


def _look_at(folder: Path, name: str, settle: timedelta) -> Dropped | None:
    """One entry; None where it vanished meanwhile."""
    try:
        status = os.stat(folder / name, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        try:
            status = os.stat(folder / name)
        except FileNotFoundError:
            return Dropped(name, State.REFUSED, "a link to nothing", 0, _modified(status))
    size, modified = status.st_size, _modified(status)
    if _TEMPORARY_NAME.search(name):
        return Dropped(name, State.WAITING, "bears a temporary name", size, modified)
    try:
        path = inside(folder, name)
        if datetime.now(UTC) - modified < settle:
            why = f"changed less than {settle.total_seconds():g} s ago, may still be written"
            return Dropped(name, State.WAITING, why, size, modified)
        digest = hashlib.sha256()
        with _open(path) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
            after = os.fstat(file.fileno())
    except (NotAllowed, OSError) as error:
        return Dropped(name, State.REFUSED, _said(error), size, modified)
    if (after.st_size, _modified(after)) != (size, modified):
        return Dropped(name, State.WAITING, "changed while it was looked at", after.st_size, _modified(after))
    promised = _promised(folder, name)
    if promised is not None and promised != digest.hexdigest():
        why = f"differs from {name}{CHECKSUM_SUFFIX}: not whole yet, or damaged"
        return Dropped(name, State.WAITING, why, size, modified)
    return Dropped(name, State.WHOLE, "", size, modified, digest.hexdigest())


def _promised(folder: Path, name: str) -> str | None:
    """The checksum that stands beside the file; "" where it cannot be read, None where there is none."""
    try:
        path = inside(folder, name + CHECKSUM_SUFFIX)
        with _open(path) as file:
            found = _SHA256.match(file.read(4096).decode("ascii", errors="replace"))
    except FileNotFoundError:
        return None
    except (NotAllowed, OSError):
        return ""
    return found[1].lower() if found else ""


def _modified(status: os.stat_result) -> datetime:
    newest = max(status.st_mtime_ns, status.st_ctime_ns)
    return datetime.fromtimestamp(newest // 1_000_000_000, UTC) + timedelta(
        microseconds=newest % 1_000_000_000 // 1000
    )


def _said(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def inside(folder: Path, name: str) -> Path:
    """Where the entry of that name really lies.

    Raises NotAllowed for a name that is no plain name and for a link that leads out of the folder,
    FileNotFoundError where there is none.
    """
    if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
        raise NotAllowed("no plain file name")
    path = (folder / name).resolve(strict=True)
    if not path.is_relative_to(folder.resolve(strict=True)):
        raise NotAllowed("a link that leads out of the inbox")
    return path


def _open(path: Path) -> _Reader:
    # O_NONBLOCK: opening a named pipe that somebody dropped must not wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAllowed("no plain file")
    return _Reader(descriptor)


class _Reader:
    """An open file, as a context manager."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "rb")
        self.read = self._file.read
        self.fileno = self._file.fileno

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


class FileTransport(httpx.BaseTransport):
    """Serves ``file://`` addresses below one inbox and nothing else.

    ``inbox`` and ``settle`` are the installation's own where None.
    """

    def __init__(self, inbox: Path | None = None, settle: timedelta | None = None) -> None:
        self._inbox = inbox
        self._settle = settle

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The listing or the file; 403, 404 and 405 as a server says them."""
        if request.method != "GET":
            return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "files are only read")
        try:
            folder, name = self._place(request.url.path)
            if not name:
                return self._listing(request, folder)
            return _file(request, inside(folder, name), name)
        except NotAllowed as error:
            return _refusal(HTTPStatus.FORBIDDEN, str(error))
        except (FileNotFoundError, NotADirectoryError):
            return _refusal(HTTPStatus.NOT_FOUND, "there is no such file")
        except OSError as error:
            return _refusal(HTTPStatus.FORBIDDEN, _said(error))

    def _place(self, path: str) -> tuple[Path, str]:
        """The source's folder and the file's name, "" for the folder itself."""
        inbox = self._inbox or Settings.from_environment().inbox_dir
        folder, _, name = path.rpartition("/")
        place = Path(os.path.abspath(folder or "/"))
        if ".." in path.split("/") or "\0" in path or place.parent != inbox.absolute():
            raise NotAllowed(f"only the folders of {inbox} are served")
        if place.is_dir() and not place.resolve().is_relative_to(inbox.resolve()):
            raise NotAllowed("a link that leads out of the inbox")
        return place, name

    def _listing(self, request: httpx.Request, folder: Path) -> httpx.Response:
        settle = self._settle if self._settle is not None else Settings.from_environment().inbox_settle
        return _answer(
            request,
            listing([each for each in look(folder, settle) if each.state is State.WHOLE]),
            "application/json",
        )


def listing(files: list[Dropped]) -> bytes:
    """The JSON listing of whole files."""
    return json.dumps(
        {
            "files": [
                {
                    "name": each.name,
                    "size": each.size,
                    "modified": each.modified.isoformat(),
                    "sha256": each.sha256,
                }
                for each in files
            ]
        },
        ensure_ascii=False,
    ).encode()


def _file(request: httpx.Request, path: Path, name: str) -> httpx.Response:
    with _open(path) as file:
        modified = _modified(os.fstat(file.fileno()))
        body = b"".join(_chunks(file))
    return _answer(request, body, media_type(name), modified)


def _chunks(file: _Reader) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _answer(
    request: httpx.Request, body: bytes, content_type: str, modified: datetime | None = None
) -> httpx.Response:
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    headers = {"ETag": etag, "Content-Type": content_type}
    if modified is not None:
        headers["Last-Modified"] = format_datetime(modified.replace(microsecond=0), usegmt=True)
    if request.headers.get("if-none-match") == etag:
        return httpx.Response(HTTPStatus.NOT_MODIFIED, headers=headers)
    return httpx.Response(HTTPStatus.OK, headers=headers, content=body)


def _refusal(status: HTTPStatus, message: str) -> httpx.Response:
    return httpx.Response(status, json={"error": message})
