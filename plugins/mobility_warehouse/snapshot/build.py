"""Builds the shipped snapshot from the saved publisher files.

``python -m mobility_warehouse.snapshot.build INPUT_DIR [OUTPUT_DIR]`` re-encodes the publishers' exports
(CSV, xls, xlsx) as records in each API's own wire shape, one compressed JSON Lines file per source,
resource and vintage, and writes ``MANIFEST.json``. Nothing in the output depends on the time or the
machine: the same input gives the same bytes.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path

import click
import msgspec

from mobility_warehouse.snapshot.store import (
    Entry,
    Input,
    SnapshotError,
    compress,
    default_directory,
    read_manifest,
    sha256,
    write_manifest,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Who publishes a source, and on which terms."""

    source: str
    publisher: str
    licence: str
    licence_url: str
    attribution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltResource:
    """One resource in wire shape, with what the manifest must say of it.

    ``records`` are the wire records in the order in which the API gives them. ``inputs`` are paths below
    the input directory.
    """

    publication: Publication
    resource: str
    vintages: tuple[int, ...]
    path: str
    title: str
    source_url: str
    published: date | None
    retrieved: str
    processing: str
    inputs: tuple[str, ...]
    records: Sequence[Mapping[str, object]]
    synthetic: bool = False


Builder = Callable[[Path], Sequence[BuiltResource]]


def number(value: float) -> int | float:
    """The number as JSON writes it best: whole numbers without a fraction, others shortest round-trip."""
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def write_resource(built: BuiltResource, input_directory: Path, output_directory: Path) -> Entry:
    """Writes one resource's file and returns its manifest entry."""
    lines = [msgspec.json.encode(record) for record in built.records]
    compressed = compress(lines)
    target = output_directory / built.path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(compressed)
    publication = built.publication
    return Entry(
        source=publication.source,
        resource=built.resource,
        vintages=built.vintages,
        path=built.path,
        title=built.title,
        publisher=publication.publisher,
        licence=publication.licence,
        licence_url=publication.licence_url,
        attribution=publication.attribution,
        source_url=built.source_url,
        published=built.published,
        retrieved=built.retrieved,
        processing=built.processing,
        synthetic=built.synthetic,
        rows=len(lines),
        bytes=len(compressed),
        sha256=sha256(compressed),
        content_sha256=sha256(b"\n".join(lines)),
        inputs=tuple(Input(path, sha256((input_directory / path).read_bytes())) for path in built.inputs),
    )


def build(input_directory: Path, output_directory: Path, builders: Mapping[str, Builder]) -> list[Entry]:
    """Builds the named sources and returns their entries.

    The manifest keeps the entries of sources that are not built here; files that a built source no
    longer has are removed. Raises SnapshotError when an input is missing or is not what it should be.
    """
    output_directory.mkdir(parents=True, exist_ok=True)
    try:
        previous = read_manifest(output_directory).files
    except SnapshotError:
        previous = ()
    entries = [
        write_resource(built, input_directory, output_directory)
        for builder in builders.values()
        for built in builder(input_directory)
    ]
    written = {entry.path for entry in entries}
    for entry in previous:
        if entry.source in builders and entry.path not in written:
            (output_directory / entry.path).unlink(missing_ok=True)
    kept = [entry for entry in previous if entry.source not in builders]
    write_manifest(output_directory, [*kept, *entries])
    return entries


def figure_builders() -> dict[str, Builder]:
    """The builder of each source: ``build`` of ``figures_<source>``, and those of synthetic sources."""
    # Reading xls needs a package of the dependency group "snapshot", which the server does without.
    from mobility_warehouse import snapshot
    from mobility_warehouse.snapshot import limesurvey_build

    prefix = "figures_"
    figures = {
        name.removeprefix(prefix): import_module(f"{snapshot.__name__}.{name}").build
        for _, name, _ in pkgutil.iter_modules(snapshot.__path__)
        if name.startswith(prefix)
    }
    return {**figures, "limesurvey": limesurvey_build.build}


@click.command()
@click.argument("input_directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("output_directory", type=click.Path(path_type=Path), default=default_directory())
@click.option("--source", "sources", multiple=True, help="Build this source only; may be repeated.")
def main(input_directory: Path, output_directory: Path, sources: tuple[str, ...]) -> None:
    """Re-encode the saved publisher files in INPUT_DIRECTORY as the snapshot that the server replays."""
    builders = figure_builders()
    unknown = set(sources) - set(builders)
    if unknown:
        raise click.BadParameter(
            f"no builder for {', '.join(sorted(unknown))}; there are {', '.join(builders)}"
        )
    chosen = {name: builders[name] for name in sources or builders}
    try:
        entries = build(input_directory, output_directory, chosen)
    except SnapshotError as error:
        raise click.ClickException(str(error)) from error
    for entry in entries:
        click.echo(f"{entry.path:58} {entry.rows:>7,} rows {entry.bytes:>9,} bytes")


if __name__ == "__main__":
    main()
