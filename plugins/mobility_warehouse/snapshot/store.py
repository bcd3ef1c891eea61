"""The shipped snapshot: which file holds which resource in which vintage, and its records as wire lines."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

import msgspec
import zstandard

MANIFEST_NAME = "MANIFEST.json"


class SnapshotError(Exception):
    """The snapshot directory is not what its manifest says, or holds no manifest."""


class Input(msgspec.Struct, frozen=True):
    """One of the publisher's files that a snapshot file was built from."""

    path: str
    sha256: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifest says of one snapshot file.

    ``vintages`` are the vintages that serve the file. ``published`` is the publisher's own date of the
    figures where the publisher gives one. ``rows`` counts wire records. ``content_sha256`` is of the
    uncompressed JSON Lines, so that it proves the content whichever compressor wrote the file.
    """

    source: str
    resource: str
    vintages: tuple[int, ...]
    path: str
    title: str
    publisher: str
    licence: str
    licence_url: str
    attribution: str
    source_url: str
    published: date | None
    retrieved: str
    processing: str
    synthetic: bool
    rows: int
    bytes: int
    sha256: str
    content_sha256: str
    inputs: tuple[Input, ...]


class Manifest(msgspec.Struct, frozen=True):
    """``MANIFEST.json``: every file of the snapshot, sorted by path."""

    files: tuple[Entry, ...]


def default_directory() -> Path:
    """The repository's own ``snapshot/`` folder."""
    return Path(__file__).resolve().parents[3] / "snapshot"


def read_manifest(directory: Path) -> Manifest:
    """The directory's manifest; SnapshotError where it is missing or cannot be read."""
    path = directory / MANIFEST_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise SnapshotError(f"no snapshot in {directory}: {MANIFEST_NAME} is missing") from error
    except msgspec.DecodeError as error:
        raise SnapshotError(f"{path}: {error}") from error


def write_manifest(directory: Path, entries: Sequence[Entry]) -> None:
    """Writes the manifest, one field a line, entries sorted by path."""
    manifest = Manifest(tuple(sorted(entries, key=lambda entry: entry.path)))
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    (directory / MANIFEST_NAME).write_bytes(encoded + b"\n")


def compress(lines: Sequence[bytes]) -> bytes:
    """Zstandard-compressed JSON Lines; the same lines always give the same bytes."""
    return zstandard.ZstdCompressor(level=12).compress(b"\n".join(lines))


def decompress(compressed: bytes) -> list[bytes]:
    """The lines of a file that :func:`compress` wrote."""
    content = zstandard.ZstdDecompressor().decompress(compressed)
    return content.split(b"\n") if content else []


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


class Store:
    """Read access to a snapshot directory, decompressing a file when it is first asked for.

    The last ``cached_files`` decompressed files are kept; a World Bank indicator takes about 6 MB.
    """

    def __init__(self, directory: Path, *, cached_files: int = 12) -> None:
        self.directory = directory
        self.manifest = read_manifest(directory)
        self._entries = {
            (entry.source, entry.resource, vintage): entry
            for entry in self.manifest.files
            for vintage in entry.vintages
        }
        self._lines = lru_cache(maxsize=cached_files)(self._read_lines)

    @property
    def vintages(self) -> tuple[int, ...]:
        """Every vintage that the snapshot knows, ascending."""
        return tuple(sorted({vintage for _, _, vintage in self._entries}))

    def entry(self, source: str, resource: str, vintage: int) -> Entry | None:
        """The file that holds a resource in a vintage; None where the snapshot has none."""
        return self._entries.get((source, resource, vintage))

    def entries(self, source: str, vintage: int) -> list[Entry]:
        """The source's files of a vintage, sorted by path."""
        return [
            entry for entry in self.manifest.files if entry.source == source and vintage in entry.vintages
        ]

    def lines(self, entry: Entry) -> tuple[bytes, ...]:
        """The file's records, each the JSON text of one wire record."""
        return self._lines(entry.path)

    def _read_lines(self, path: str) -> tuple[bytes, ...]:
        return tuple(decompress((self.directory / path).read_bytes()))
