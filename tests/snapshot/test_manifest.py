"""The shipped snapshot is what its manifest and README say."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from mobility_warehouse.snapshot.store import (
    MANIFEST_NAME,
    Entry,
    SnapshotError,
    Store,
    compress,
    decompress,
    default_directory,
    read_manifest,
    sha256,
    write_manifest,
)
from mobility_warehouse.sources.registry import sources

DIRECTORY = default_directory()
FILES = read_manifest(DIRECTORY).files
LICENCES = {name: source.licence for name, source in sources().items()}


def test_every_file_is_in_the_manifest_and_none_is_missing() -> None:
    on_disk = {path.relative_to(DIRECTORY).as_posix() for path in DIRECTORY.rglob("*") if path.is_file()} - {
        MANIFEST_NAME,
        "README.md",
    }

    assert {entry.path for entry in FILES} == on_disk


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry.path)
def test_hashes_sizes_and_rows_are_true(entry: Entry) -> None:
    content = (DIRECTORY / entry.path).read_bytes()
    lines = decompress(content)

    assert (entry.sha256, entry.bytes) == (sha256(content), len(content))
    assert entry.content_sha256 == sha256(b"\n".join(lines))
    assert entry.rows == len(lines)
    assert all(isinstance(msgspec.json.decode(line), dict) for line in lines)


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry.path)
def test_origin_and_licence_are_stated(entry: Entry) -> None:
    for statement in (entry.publisher, entry.licence, entry.attribution, entry.processing):
        assert statement.strip()
    assert entry.licence_url.startswith("https://")
    if entry.synthetic:
        assert entry.publisher == "this project"
    else:
        assert entry.licence == LICENCES[entry.source]
        assert entry.inputs
        assert entry.retrieved.strip()
        assert all(len(given.sha256) == 64 for given in entry.inputs)


def test_the_non_commercial_clause_is_named() -> None:
    assert all("Non-commercial" in entry.attribution for entry in FILES if entry.source == "who_gho")


def test_each_resource_has_one_file_a_vintage() -> None:
    held = [(entry.source, entry.resource, vintage) for entry in FILES for vintage in entry.vintages]

    assert len(set(held)) == len(held)
    assert {vintage for *_, vintage in held} == {1, 2}


def test_the_readme_states_every_source_and_licence() -> None:
    readme = (DIRECTORY / "README.md").read_text(encoding="utf-8")

    for entry in FILES:
        assert f"`{entry.source}/`" in readme
        assert entry.publisher in readme or entry.synthetic
        assert entry.licence in readme


def test_the_snapshot_is_compact() -> None:
    assert sum(entry.bytes for entry in FILES if not entry.synthetic) < 6_000_000
    assert sum(entry.bytes for entry in FILES) < 15_000_000


def test_floats_keep_full_precision(store: Store) -> None:
    entry = store.entry("world_bank", "BX.TRF.PWKR.CD.DT", 2)
    assert entry is not None

    assert any(b'"AFE","date":"2022","value":19738658025.331406' in line for line in store.lines(entry))


def test_manifest_survives_writing(tmp_path: Path) -> None:
    write_manifest(tmp_path, list(reversed(FILES)))

    assert (tmp_path / MANIFEST_NAME).read_bytes() == (DIRECTORY / MANIFEST_NAME).read_bytes()


def test_a_broken_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_NAME).write_text('{"files": [{"source": 1}]}')

    with pytest.raises(SnapshotError, match=r"MANIFEST\.json.*Expected `str`"):
        Store(tmp_path)


@pytest.mark.parametrize("lines", [[], [b"{}"], [b"1", b"2", b"3"]])
def test_lines_survive_compression(lines: list[bytes]) -> None:
    assert decompress(compress(lines)) == lines
