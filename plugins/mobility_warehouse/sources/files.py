"""Sources that come as files which people drop into the inbox: what all of them share.

Such a source subclasses :class:`FileSource` and declares its resources; what a file holds is said by
mappings, ``mappings/<source>/<slice>.yml`` beside this module, one for each kind of file. A mapping's name is
its slice. See :mod:`mobility_warehouse.sources.tables` for what a mapping can say.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from importlib.resources import files
from urllib.parse import quote, unquote

import msgspec

from mobility_warehouse.settings import INBOX
from mobility_warehouse.sources.declaration import (
    Answer,
    Conversation,
    Reading,
    Request,
    Resource,
    Slice,
    SourceConnection,
    SourceError,
    resource_of,
)
from mobility_warehouse.sources.reading import Rule
from mobility_warehouse.sources.tables import FileMapping, TableReader, load_mapping

logger = logging.getLogger(__name__)


class ListedFile(msgspec.Struct, frozen=True):
    """One whole file of a listing."""

    name: str
    size: int
    modified: datetime
    sha256: str


class _Listing(msgspec.Struct):
    files: list[ListedFile]


class _Error(msgspec.Struct):
    error: str


class FileSource:
    """A source of dropped files: lists its folder, asks for files that a mapping fits, reads by the mapping.

    Subclasses set the attributes of ``Source``; their resources have ``once=True``. ``rules`` adds what a
    mapping cannot say about records.
    """

    name: str
    title: str
    publisher: str
    licence: str
    licence_url: str
    attribution: str
    cadence: str
    schedule: str
    pool: str = "inbox"
    pool_slots: int = 2
    synthetic: bool = False
    modelled: bool = False
    resources: Sequence[Resource]

    @property
    def default_base_url(self) -> str:
        """The source's folder of the inbox."""
        return f"{INBOX}{self.name}"

    @cached_property
    def mappings(self) -> dict[str, FileMapping]:
        """The declared mappings by slice name, sorted."""
        folder = files("mobility_warehouse.sources") / "mappings" / self.name
        found = [
            load_mapping(entry.name.removesuffix(".yml"), entry.read_text(encoding="utf-8"))
            for entry in folder.iterdir()
            if entry.name.endswith(".yml")
        ]
        return {mapping.name: mapping for mapping in sorted(found, key=lambda mapping: mapping.name)}

    def slices(self) -> Sequence[Slice]:
        """One slice a mapping."""
        return tuple(Slice(mapping.resource, name) for name, mapping in self.mappings.items())

    def slice_of(self, file_name: str) -> Slice | None:
        """The slice whose mapping fits a file of that name; None where there is none."""
        for part in self.slices():
            if self.mappings[part.name].fits(file_name):
                return part
        return None

    def rules(self, part: Slice) -> Sequence[Rule]:
        """Rules for the typed records of a slice, beyond what declaration and mapping say."""
        return ()

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation:
        """The listing, then each file that the slice's mapping fits, oldest first."""
        folder = connection.base_url.rstrip("/")
        answer = yield Request(f"{folder}/", archive=False)
        for file in sorted(_listed(answer.body), key=lambda file: (file.modified, file.name)):
            fitting = self.slice_of(file.name)
            if fitting is None:
                logger.warning("%s: no mapping fits the file %s, nobody reads it", self.name, file.name)
            if fitting == part:
                yield self._request(folder, file)

    def _request(self, folder: str, file: ListedFile) -> Request:
        name = quote(file.name, safe="")
        return Request(
            f"{folder}/{name}",
            headers={"Accept": "*/*"},
            conditional=False,
            # Where an inbox lies on this machine is nobody's business later.
            public_url=f"{INBOX}{self.name}/{name}" if folder.startswith("file:") else None,
            sha256=file.sha256,
            modified=file.modified,
        )

    def check(self, part: Slice, answer: Answer) -> None:
        """SourceError unless the answer is a listing, or a file of the bytes that the listing spoke of."""
        label, body = self._label(part), answer.body
        is_listing = answer.request.sha256 is None
        if answer.status != HTTPStatus.OK:
            raise SourceError(f"{label}: HTTP {answer.status}{_said(body)}{_where(answer)}")
        if not body:
            raise SourceError(f"{label}: HTTP 200 with an empty body{_where(answer)}", retryable=True)
        if body.lstrip()[:1] == b"<":
            wanted = "JSON" if is_listing else f"the file {file_name(answer)}"
            raise SourceError(f"{label}: HTML instead of {wanted}", retryable=True)
        if not is_listing:
            if hashlib.sha256(body).hexdigest() != answer.request.sha256:
                said = _said(body)
                if said:
                    raise SourceError(f"{label}: error inside HTTP 200{said}{_where(answer)}")
                raise SourceError(
                    f"{label}: {file_name(answer)} is cut short, or changed since it was listed",
                    retryable=True,
                )
            return
        if said := _said(body):
            raise SourceError(f"{label}: error inside HTTP 200{said}{_where(answer)}")
        try:
            _listed(body)
        except SourceError as error:
            cut = "cut short or " if not body.rstrip().endswith(b"}") else ""
            raise SourceError(
                f"{label}: {cut}no answer of this API, no listing of files: {error}", retryable=True
            ) from error

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The records of one file; SourceError names file, sheet and column that a mapping does not fit."""
        return self._reader(part).read(self._label(part), file_name(answer), answer.body)

    def records(self, part: Slice, answer: Answer) -> Sequence[memoryview | bytes]:
        """Every row of the file's tables as it came: the line of a CSV, the cells of a sheet as JSON."""
        return self._reader(part).records(self._label(part), file_name(answer), answer.body)

    def _reader(self, part: Slice) -> TableReader:
        return TableReader(
            self.name, resource_of(self, part.resource), self.mappings[part.name], self.rules(part)
        )

    def _label(self, part: Slice) -> str:
        return f"{self.name} {part.resource} {part.name}"


def file_name(answer: Answer) -> str:
    """Name of the file that an answer holds."""
    url = answer.request.public_url or answer.request.url
    return unquote(url.partition("?")[0].rpartition("/")[2])


def _where(answer: Answer) -> str:
    return f" ({answer.request.public_url or answer.request.url})"


def _listed(body: bytes) -> list[ListedFile]:
    try:
        return msgspec.json.decode(body, type=_Listing).files
    except (msgspec.DecodeError, UnicodeError) as error:
        raise SourceError(str(error)) from error


def _said(body: bytes) -> str:
    """The server's own error as a suffix; "" where it says none."""
    try:
        return f": {msgspec.json.decode(body, type=_Error).error[:300]}"
    except (msgspec.DecodeError, UnicodeError):
        return ""
