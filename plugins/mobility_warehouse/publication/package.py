"""A publication to pass on: a CSV and a Parquet file a mart and a Data Package that describes them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars
from sqlalchemy import Connection, Engine, Row, text

from mobility_warehouse.publication.publish import LINEAGE_COLUMN
from mobility_warehouse.publication.relations import ColumnShape, Relation, quoted, read_relations

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
#: Packages that stay in the home directory, the latest; what was written elsewhere is never removed.
KEPT_PACKAGES = 5
#: Declared licences under which figures may be passed on, by the name that a Data Package gives them. Rows
#: that rest on anything else, such as countries' own reports, stay in the warehouse.
PASSED_ON = {
    "CC BY 3.0 IGO": "CC-BY-3.0-IGO",
    "CC BY 4.0": "CC-BY-4.0",
    "CC BY-NC-SA 3.0 IGO": "CC-BY-NC-SA-3.0-IGO",
    "Decision 2011/833/EU (free reuse with attribution)": "EU-2011-833",
    "UNdata terms of use: free with attribution": "UNdata",
}
#: What this project made itself: synthetic records, and reviewed tables of facts.
_OWN = {
    "name": "Apache-2.0",
    "path": "https://www.apache.org/licenses/LICENSE-2.0",
    "title": "Apache License 2.0",
}
_FACTS = {"title": "Reviewed reference tables of this project; the rows or columns name their documents"}


class PackageRefused(Exception):
    """The publication cannot be packed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that stands. ``files`` and ``bytes`` count what lies in ``path``, the descriptor included.

    ``repeated`` is true where it stood before and was left as it is.
    """

    publication_id: int
    path: Path
    files: int
    bytes: int
    repeated: bool = False


def packages_dir(home: Path) -> Path:
    """Where packages are kept."""
    return home / "packages"


def make_package(engine: Engine, folder: Path, publication_id: int | None = None) -> Package:
    """Write ``<folder>/publication-<id>``, by default of the last publication; whole or not at all.

    All marts are read in one snapshot, in which they are what was published: the last publication, or an
    earlier one that every later one repeated. The same publication gives the same bytes. One that stands
    in the folder is left. Rows that rest on records which may not be passed on are left out and counted.
    ``engine`` acts as ``publisher``. Raises PackageRefused where nothing, or something else, stands
    published.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with engine.execution_options(isolation_level="REPEATABLE READ").begin() as connection:
        publication = _publication(connection, publication_id)
        path = folder / f"publication-{publication.publication_id}"
        if path.exists():
            return _standing(publication.publication_id, path, repeated=True)
        _require_standing(connection, publication.publication_id)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=folder))
        try:
            _write(connection, publication, unfinished)
            unfinished.chmod(0o755)
            unfinished.rename(path)
        finally:
            # Where it was moved nothing is left; another process may have finished the same one first.
            shutil.rmtree(unfinished, ignore_errors=True)
    return _standing(publication.publication_id, path)


def prune_packages(folder: Path, keep: int = KEPT_PACKAGES) -> list[Path]:
    """Remove all packages of a folder but the last; gives what was removed, oldest first."""
    numbered = sorted(
        (int(found[1]), path)
        for path in folder.glob("publication-*")
        if (found := re.fullmatch(r"publication-(\d+)", path.name))
    )
    removed = [path for _, path in numbered[: max(len(numbered) - keep, 0)]]
    for path in removed:
        shutil.rmtree(path)
    return removed


def _standing(publication_id: int, path: Path, *, repeated: bool = False) -> Package:
    sizes = [file.stat().st_size for file in path.iterdir()]
    return Package(publication_id, path, len(sizes), sum(sizes), repeated)


def _publication(connection: Connection, publication_id: int | None) -> Row[Any]:
    row = connection.execute(
        text("""
            select * from quality.publication
            where publication_id = coalesce(:publication_id, publication_id)
            order by publication_id desc limit 1
        """),
        {"publication_id": publication_id},
    ).one_or_none()
    if row is None:
        raise PackageRefused(
            "nothing is published yet"
            if publication_id is None
            else f"there is no publication {publication_id}: select * from quality.publication"
        )
    return row


def _require_standing(connection: Connection, publication_id: int) -> None:
    """What stands in ``marts`` is the last publication; an earlier one only where no mart differs from it."""
    differing: list[str] = list(
        connection.execute(
            text("""
                with last as (
                    select mart, content_hash from quality.publication_mart
                    where publication_id = (select max(publication_id) from quality.publication)
                ), asked as (
                    select mart, content_hash from quality.publication_mart
                    where publication_id = :publication_id
                )
                select coalesce(last.mart, asked.mart) as mart from last full join asked using (mart)
                where last.content_hash is distinct from asked.content_hash order by mart
            """),
            {"publication_id": publication_id},
        ).scalars()
    )
    if differing:
        raise PackageRefused(
            f"publication {publication_id} no longer stands: {', '.join(differing)} changed since; a package "
            "is made of the publication that stands; mobility as-of rebuilds an earlier state"
        )


def _write(connection: Connection, publication: Row[Any], folder: Path) -> None:
    connection.execute(text("set local datestyle = 'ISO, YMD'"))
    connection.execute(text("set local extra_float_digits = 1"))
    relations = read_relations(connection, "marts")
    sources = _sources(connection)
    fetched = _fetches(connection)
    hashes = {
        row.mart: row.content_hash
        for row in connection.execute(
            text("select mart, content_hash from quality.publication_mart where publication_id = :id"),
            {"id": publication.publication_id},
        )
    }
    resources = []
    for name in sorted(hashes):
        relation = relations[name]
        rows = _read(connection, relation)
        allowed, named = _may_be_passed_on(rows, fetched, sources)
        passed_on = rows.filter(allowed)
        described = {
            "description": relation.comment or "",
            **_provenance(named, sources),
            "content_hash": hashes[name],
            "rows": passed_on.height,
            "rows_withheld": rows.height - passed_on.height,
            "rows_synthetic": _count_synthetic(passed_on),
        }
        resources.append(_write_csv(folder / f"{name}.csv", relation, passed_on) | described)
        resources.append(_write_parquet(folder / f"{name}.parquet", relation, passed_on) | described)
    descriptor = _descriptor(publication, resources)
    (folder / "datapackage.json").write_text(
        json.dumps(descriptor, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )


def _read(connection: Connection, relation: Relation) -> polars.DataFrame:
    """The rows of a mart in the order of its primary key, every column as PostgreSQL's text of it."""
    columns = ", ".join(f"{_as_text(column)} as {quoted(column.name)}" for column in relation.columns)
    # Texts are ordered by code point, whatever the database's own collation.
    types = {column.name: column.type for column in relation.columns}
    order = ", ".join(
        quoted("mart", key) + (' collate "C"' if types[key] == "text" else "") for key in relation.primary_key
    )
    content = io.BytesIO()
    cursor = connection.connection.cursor()
    with cursor.copy(
        f"copy (select {columns} from {relation.identifier} as mart order by {order}) to stdout (format csv)"
    ) as copied:
        for chunk in copied:
            content.write(chunk)
    schema = dict.fromkeys(relation.column_names, polars.String)
    if not content.tell():
        return polars.DataFrame(schema=schema)
    content.seek(0)
    # Both tell null, which is nothing, from an empty text, which is quoted.
    return polars.read_csv(content, has_header=False, schema=schema)


def _as_text(column: ColumnShape) -> str:
    name = quoted("mart", column.name)
    if column.type.endswith("[]"):
        return f"array_to_json({name})::text"
    if column.type.startswith("timestamp"):
        return f"""to_char({name}, 'YYYY-MM-DD"T"HH24:MI:SS.US')"""
    return f"{name}::text"


def _sources(connection: Connection) -> dict[str, Mapping[str, Any]]:
    """Sources as published, by name."""
    rows = connection.execute(text("select * from marts.dim_source")).mappings()
    return {row["source"]: dict(row) for row in rows}


def _fetches(connection: Connection) -> polars.DataFrame:
    """Every fetch with its source and whether its records are synthetic."""
    rows = connection.execute(
        text("select fetch_id, source, synthetic from raw.fetch order by fetch_id")
    ).all()
    schema = {"fetch_id": polars.Int64, "source": polars.String, "synthetic": polars.Boolean}
    return polars.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")


def _may_be_passed_on(
    rows: polars.DataFrame, fetched: polars.DataFrame, sources: Mapping[str, Mapping[str, Any]]
) -> tuple[polars.Series, list[tuple[str, bool]]]:
    """Which rows rest on nothing that may not be passed on, and the sources that these rest on.

    A source is named with whether what is used of it is synthetic; it may be named once with either.
    """
    # Rows share few sets of fetches: each set is looked at once.
    sets = rows.select(polars.col(LINEAGE_COLUMN)).unique(maintain_order=True)
    named = (
        sets.with_columns(fetch_id=polars.col(LINEAGE_COLUMN).str.json_decode(polars.List(polars.Int64)))
        .explode("fetch_id")
        .drop_nulls("fetch_id")
        .join(fetched, on="fetch_id", how="left", maintain_order="left")
    )
    free = [name for name, source in sources.items() if source["licence"] in PASSED_ON]
    withheld = named.filter(~(polars.col("synthetic") | polars.col("source").is_in(free)).fill_null(False))
    allowed = ~rows[LINEAGE_COLUMN].is_in(withheld[LINEAGE_COLUMN].unique().to_list())
    used = named.filter(~polars.col(LINEAGE_COLUMN).is_in(withheld[LINEAGE_COLUMN].unique().to_list()))
    return allowed, used.select("source", "synthetic").unique().sort("source", "synthetic").rows()


def _provenance(
    used: Sequence[tuple[str, bool]], sources: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """Sources with the words that a reuse must carry, and the licences that all hold for the rows."""
    if not used:
        return {"sources": [_FACTS], "licenses": [_OWN]}
    told: list[dict[str, Any]] = []
    licences: dict[str, dict[str, Any]] = {}
    for name, is_synthetic in used:
        source = sources[name]
        if is_synthetic:
            licence = _OWN
            told.append(
                {"title": f"{source['title']}: synthetic records made by this project", "synthetic": True}
            )
        else:
            licence = {
                "name": PASSED_ON[source["licence"]],
                "path": source["licence_url"],
                "title": source["licence"],
            }
            told.append(
                {
                    "title": source["title"],
                    "publisher": source["publisher"],
                    "attribution": source["attribution"],
                    "synthetic": False,
                }
                | ({"path": url} if (url := source["base_url"] or "").startswith("https://") else {})
            )
        licences[licence["name"]] = licence
    return {"sources": told, "licenses": [licences[name] for name in sorted(licences)]}


def _count_synthetic(rows: polars.DataFrame) -> int:
    return int((rows["is_synthetic"] == "true").sum())


def _write_csv(path: Path, relation: Relation, rows: polars.DataFrame) -> dict[str, Any]:
    rows.write_csv(path, line_terminator="\r\n", null_value="")
    return {
        "name": relation.name,
        "type": "table",
        "path": path.name,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True},
        **_proof(path),
        "schema": _table_schema(relation, ""),
    }


def _write_parquet(path: Path, relation: Relation, rows: polars.DataFrame) -> dict[str, Any]:
    typed = rows.select(_typed(column) for column in relation.columns)
    typed.write_parquet(path, compression="zstd", row_group_size=65_536)
    return {
        "name": f"{relation.name}.parquet",
        "type": "table",
        "path": path.name,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        **_proof(path),
        "schema": _table_schema(relation, ".parquet"),
    }


def _typed(column: ColumnShape) -> polars.Expr:
    words = polars.col(column.name)
    if column.type.endswith("[]"):
        return words.str.json_decode(polars.List(_PLAIN_TYPES[column.type.removesuffix("[]")][1]))
    if column.type.startswith("timestamp"):
        return words.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us")
    if found := re.fullmatch(r"numeric\((\d+),(\d+)\)", column.type):
        return words.cast(polars.Decimal(int(found[1]), int(found[2])))
    if column.type == "date":
        return words.str.to_date("%Y-%m-%d")
    if column.type == "boolean":
        return words == "true"
    return words.cast(_PLAIN_TYPES[column.type][1])


#: Types of columns and elements: how a Table Schema names them, and how Parquet keeps them.
_PLAIN_TYPES: dict[str, tuple[str, type[polars.DataType]]] = {
    "text": ("string", polars.String),
    "smallint": ("integer", polars.Int16),
    "integer": ("integer", polars.Int32),
    "bigint": ("integer", polars.Int64),
    "double precision": ("number", polars.Float64),
    "boolean": ("boolean", polars.Boolean),
    "date": ("date", polars.Date),
}


def _field_type(type_: str) -> str:
    if type_.endswith("[]"):
        return "array"
    if type_.startswith("timestamp"):
        return "datetime"
    return "number" if type_.startswith("numeric") else _PLAIN_TYPES[type_][0]


def _table_schema(relation: Relation, suffix: str) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [
            {
                "name": column.name,
                "type": _field_type(column.type),
                "description": column.comment or "",
                "constraints": {"required": column.not_null},
            }
            for column in relation.columns
        ],
        "missingValues": [""],
        "primaryKey": list(relation.primary_key),
    }
    if keys := sorted(relation.foreign_keys.values()):
        schema["foreignKeys"] = [
            {
                "fields": list(key.columns),
                "reference": {
                    # A table that refers to itself is named by the empty text.
                    "resource": "" if key.references == relation.name else f"{key.references}{suffix}",
                    "fields": list(key.referenced_columns),
                },
            }
            for key in keys
        ]
    return schema


def _proof(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "hash": f"sha256:{digest}"}


def _descriptor(publication: Row[Any], resources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    published_at = publication.published_at.isoformat()
    synthetic = sorted({each["name"] for each in resources if each["rows_synthetic"]} & _csv_names(resources))
    withheld = sorted({each["name"] for each in resources if each["rows_withheld"]} & _csv_names(resources))
    return {
        "$schema": PROFILE,
        "name": f"health-worker-mobility-publication-{publication.publication_id}",
        "title": f"Health Worker Mobility Warehouse, publication {publication.publication_id}",
        "description": (
            "Every mart of one publication, as CSV and as Parquet. Where is_synthetic is true a row is made "
            "up and states nothing about a country. The licences of a resource all hold for it; attribute "
            "each of its sources."
        ),
        "version": str(publication.publication_id),
        "created": published_at,
        "licenses": _union(resources, "licenses"),
        "sources": _union(resources, "sources"),
        "publication": {
            "publication_id": publication.publication_id,
            "as_of": publication.as_of.isoformat(),
            "published_at": published_at,
            "code_revision": publication.code_revision,
            "reference_hash": publication.reference_hash,
            "marts_with_synthetic_rows": synthetic,
            "marts_with_rows_withheld": withheld,
        },
        "resources": list(resources),
    }


def _csv_names(resources: Iterable[Mapping[str, Any]]) -> set[str]:
    return {each["name"] for each in resources if each["format"] == "csv"}


def _union(resources: Iterable[Mapping[str, Any]], part: str) -> list[Any]:
    found = {json.dumps(each, sort_keys=True): each for resource in resources for each in resource[part]}
    return [found[key] for key in sorted(found)]
