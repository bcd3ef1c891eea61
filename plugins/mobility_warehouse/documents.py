"""Writes the parts of ``docs/`` that follow from declarations, models and published figures.

``python -m mobility_warehouse.documents`` rewrites the pages and blocks that state what sources declare, what
the snapshot holds and what the marts are made of. With ``--answers`` it also runs the questions of
``docs/analysis`` on the warehouse and writes their answers. A block lies between ``<!-- begin NAME -->`` and
``<!-- end NAME -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import click
import yaml
from sqlalchemy import Engine, text

from mobility_warehouse.contracts import contract_page
from mobility_warehouse.quality.requirements import Requirement, read_requirements
from mobility_warehouse.quality.rules import RowCount, read_table
from mobility_warehouse.settings import Settings
from mobility_warehouse.snapshot.store import Entry, read_manifest
from mobility_warehouse.sources.declaration import Resource, Source
from mobility_warehouse.sources.registry import sources

_GENERATED = "<!-- Written by `python -m mobility_warehouse.documents`; do not edit. -->"
_BLOCK = re.compile(r"(<!-- begin (?P<name>\S+) -->\n).*?(<!-- end (?P=name) -->)", re.DOTALL)
_DOC_BLOCK = re.compile(r"{% docs (\w+) %}(.*?){% enddocs %}", re.DOTALL)
_DOC_REFERENCE = re.compile(r"{{ doc\(['\"](\w+)['\"]\) }}")
_PROVENANCE = frozenset({"is_synthetic", "is_modelled", "fetch_ids"})


class DocumentError(Exception):
    """A page or model that cannot be documented; the message names it."""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; numbers are right-aligned, null is empty."""
    content = [list(row) for row in rows]
    positions = range(len(columns))
    numeric = [_is_numeric([row[position] for row in content]) for position in positions]
    lines = [_row(columns), _row("---:" if right else "---" for right in numeric)]
    lines += [_row(map(_shown, row)) for row in content]
    return "\n".join(lines) + "\n"


def _is_numeric(values: Sequence[object]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(
        isinstance(value, int | float | Decimal) and not isinstance(value, bool) for value in known
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return " ".join(str(value).split()).replace("|", "\\|")


# -- sources -------------------------------------------------------------------------------------------


def sources_page(registered: Iterable[Source], files: Sequence[Entry]) -> str:
    """The catalogue of sources: what each declares, and what of it the snapshot holds."""
    parts = [
        _GENERATED,
        "\n# Sources\n",
        "What every source of the warehouse declares, and what of it the shipped",
        "[snapshot](../snapshot/README.md) holds. The terms are explained in",
        "[Licences of the data](data-licences.md).\n",
    ]
    for source in registered:
        held = [entry for entry in files if entry.source == source.name]
        parts += [_source_section(source), _held(held)]
    return "\n".join(parts)


def _address(source: Source) -> str:
    connection = f"the connection `mobility_{source.name}`"
    if source.default_base_url is None:
        return f"{connection}; off until it is configured"
    return f"`{source.default_base_url}`, else {connection}"


def _source_section(source: Source) -> str:
    facts = [
        ("Publisher", source.publisher),
        ("Licence", f"[{source.licence}]({source.licence_url})"),
        ("Attribution", source.attribution),
        ("Figures", _nature(source)),
        ("Cadence of the publisher", source.cadence),
        ("Pulled", f"`{source.schedule}` (UTC) by the DAG `pull_{source.name}`"),
        ("Requests at once", f"{source.pool_slots}, pool `{source.pool}`"),
        ("Address", _address(source)),
    ]
    resources = [
        (
            f"`raw.{source.name}__{resource.name}`",
            resource.description,
            ", ".join(f"`{name}`" for name in resource.key),
            _slices(source, resource),
            "complete" if resource.complete_pulls else "partial",
            f"{resource.max_quarantined_share:.0%} / {resource.max_withdrawn_share:.0%}",
        )
        for resource in source.resources
    ]
    columns = ("Table", "One row", "Key", "Slices", "A pull is", "Refused above: quarantined / withdrawn")
    return f"## {source.title} (`{source.name}`)\n\n{table(('', ''), facts)}\n{table(columns, resources)}"


def _nature(source: Source) -> str:
    kind = "synthetic, as shipped" if source.synthetic else "real"
    return f"{kind}, modelled" if source.modelled else kind


def _slices(source: Source, resource: Resource) -> str:
    return ", ".join(f"`{part.name}`" for part in source.slices() if part.resource == resource.name)


def _held(held: Sequence[Entry]) -> str:
    rows = [
        (
            entry.title,
            f"`{entry.path}`",
            ", ".join(map(str, entry.vintages)),
            entry.published.isoformat() if entry.published else None,
            entry.rows,
            "synthetic" if entry.synthetic else "real",
        )
        for entry in held
    ]
    if not rows:
        return "The snapshot holds nothing of it.\n"
    columns = ("In the snapshot", "File", "Vintages", "Publisher's date", "Records", "Figures")
    return table(columns, rows)


def schedules(registered: Iterable[Source]) -> str:
    """Which DAG pulls what, when, and how politely."""
    columns = ("DAG", "Source", "Schedule (UTC)", "Slices", "Pool", "Slots")
    return table(
        columns,
        [
            (
                f"`pull_{source.name}`",
                source.title,
                f"`{source.schedule}`",
                len(source.slices()),
                f"`{source.pool}`",
                source.pool_slots,
            )
            for source in registered
        ],
    )


# -- marts ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MartColumn:
    """A column of a mart as its contract states it; ``declared`` is all that its file says."""

    name: str
    type: str
    nullable: bool
    description: str
    declared: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mart:
    """A mart as its contract states it; ``subject`` is its folder, ``declared`` all that its file says."""

    name: str
    subject: str
    description: str
    key: tuple[str, ...]
    columns: tuple[MartColumn, ...]
    declared: Mapping[str, Any]


def read_marts(dbt_project: Path) -> list[Mart]:
    """Every mart of the dbt project, by subject and name; DocumentError for one without a primary key."""
    models = dbt_project / "models"
    blocks = {
        name: " ".join(words.split())
        for path in sorted(models.rglob("*.md"))
        for name, words in _DOC_BLOCK.findall(path.read_text(encoding="utf-8"))
    }
    found = [
        _mart(model, path, blocks)
        for path in sorted((models / "marts").glob("*/*.yml"))
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
    ]
    return sorted(found, key=attrgetter("subject", "name"))


def _mart(model: Mapping[str, object], path: Path, blocks: Mapping[str, str]) -> Mart:
    name = str(model["name"])

    def words(described: Mapping[str, object]) -> str:
        raw = " ".join(str(described.get("description", "")).split())
        return _DOC_REFERENCE.sub(lambda reference: blocks[reference[1]], raw)

    constraints = _mappings(model.get("constraints"))
    keys = [each["columns"] for each in constraints if each["type"] == "primary_key"]
    if len(keys) != 1 or not isinstance(keys[0], list):
        raise DocumentError(f"{path}: the mart {name} declares no primary key")
    columns = tuple(
        MartColumn(
            name=str(column["name"]),
            type=str(column["data_type"]),
            nullable=not any(each["type"] == "not_null" for each in _mappings(column.get("constraints"))),
            description=words(column),
            declared=column,
        )
        for column in _mappings(model["columns"])
    )
    return Mart(name, path.parent.name, words(model), tuple(map(str, keys[0])), columns, model)


def _mappings(value: object) -> list[Mapping[str, object]]:
    return value if isinstance(value, list) else []


def marts_overview(marts: Sequence[Mart]) -> str:
    """One line a mart: grain and subject, with a link to its columns."""
    rows = [
        (
            f"[`{mart.name}`](marts.md#{mart.name})",
            ", ".join(f"`{name}`" for name in mart.key),
            _subject(mart.description),
        )
        for mart in marts
    ]
    return table(("Mart", "One row per", "Holds"), rows)


def _subject(description: str) -> str:
    """What a mart holds: the sentence after that on its grain, which the key beside it shows."""
    grain, *subject = re.split(r"(?<=\.)\s+(?=[A-Z])", description, maxsplit=2)
    return subject[0] if subject else grain


def marts_page(marts: Sequence[Mart]) -> str:
    """Every mart with its columns, types, units and meaning."""
    parts = [
        _GENERATED,
        "\n# The marts, column by column\n",
        "How to read them is told in [For analysts](analysts.md), as are the three columns that every mart",
        "has beside these: `is_synthetic`, `is_modelled` and `fetch_ids`. Columns of a key are **bold**.\n",
    ]
    for subject, members in groupby(marts, key=attrgetter("subject")):
        parts.append(f"## {subject.capitalize()}\n")
        for mart in members:
            rows = [
                (
                    f"**`{column.name}`**" if column.name in mart.key else f"`{column.name}`",
                    column.type,
                    "yes" if column.nullable else "no",
                    column.description,
                )
                for column in mart.columns
                if column.name not in _PROVENANCE
            ]
            parts += [f"### {mart.name}\n", f"{mart.description}\n"]
            parts.append(table(("Column", "Type", "Null", "Meaning and unit"), rows))
    return "\n".join(parts)


# -- quality -------------------------------------------------------------------------------------------


def quality_page(requirements: Sequence[Requirement]) -> str:
    """What is asked of the data's quality, how grave each is, and which rules and tests hold it."""
    parts = [
        _GENERATED,
        "\n# Requirements on quality\n",
        "What monitoring of the Code asks of the data, and what holds it. A critical one stops the",
        "publication; a warning is published with its flag and told to the country. Names are those of",
        "`quality.rule`: suite, asset and rule; `dbt` names tests of the build. The results of every run are",
        "in `quality.rule_trend`. Written from `expectations/requirements.yml`.\n",
        table(
            ("Requirement", "Severity", "Held by"),
            [
                (
                    each.requirement,
                    each.severity,
                    ". ".join(filter(None, [", ".join(f"`{name}`" for name in each.held_by), each.also])),
                )
                for each in requirements
            ],
        ),
    ]
    return "\n".join(parts)


# -- questions -----------------------------------------------------------------------------------------

#: Rows of an answer that stand on the page; what is beyond them is counted.
_ROWS_SHOWN = 10


def read_questions(folder: Path) -> dict[str, str]:
    """The SQL of every question by name, in order of their names."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}


def asked(engine: Engine, query: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Columns and rows of a question's whole answer, run as ``engine``'s role."""
    with engine.connect() as connection:
        result = connection.execute(text(query.replace(":", r"\:")))
        return list(result.keys()), [tuple(row) for row in result]


def answered(engine: Engine, name: str, query: str) -> str:
    """A question's answer as Markdown: which file asks it, its first rows, and how many there are."""
    columns, rows = asked(engine, query)
    shown = rows[:_ROWS_SHOWN]
    count = "1 row" if len(rows) == 1 else f"{len(rows):,} rows"
    if len(shown) < len(rows):
        count = f"the first {len(shown)} of {count}"
    return f"[`{name}.sql`](analysis/{name}.sql), {count}:\n\n{table(columns, shown)}"


# -- writing -------------------------------------------------------------------------------------------


def fill(page: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """The page with the blocks of these names rewritten; other blocks stay."""

    def block(found: re.Match[str]) -> str:
        make = blocks.get(found["name"])
        return found[0] if make is None else f"{found[1]}{make()}{found[3]}"

    return _BLOCK.sub(block, page)


def block_names(page: str) -> list[str]:
    """Names of the page's blocks, in order."""
    return [found["name"] for found in _BLOCK.finditer(page)]


def pages(settings: Settings, engine: Engine | None = None) -> dict[Path, str]:
    """Every generated page, and every page with generated blocks, as they should be.

    Answers of the questions are rewritten where an ``engine`` is given, else left as they stand.
    """
    docs = settings.repository / "docs"
    registered = sources().values()
    marts = read_marts(settings.dbt_project_dir)
    counts = read_table(settings.expectations_dir / "row_counts.csv", RowCount)
    blocks: dict[str, Callable[[], str]] = {
        "schedules": lambda: schedules(registered),
        "marts": lambda: marts_overview(marts),
    }
    if engine is not None:
        for name, query in read_questions(docs / "analysis").items():
            blocks[name] = partial(answered, engine, name, query)
    wanted = {
        docs / "sources.md": sources_page(registered, read_manifest(settings.snapshot_dir).files),
        docs / "marts.md": marts_page(marts),
        docs / "contracts" / "marts.odcs.yaml": contract_page(marts, registered, counts),
        docs / "quality.md": quality_page(read_requirements(settings.expectations_dir / "requirements.yml")),
    }
    for path in (docs / "operators.md", docs / "analysts.md"):
        wanted[path] = fill(path.read_text(encoding="utf-8"), blocks)
    return wanted


@click.command()
@click.option("--answers", is_flag=True, help="Also run the questions on the warehouse.")
def main(answers: bool) -> None:
    """Rewrite what is generated in docs/."""
    from mobility_warehouse.database.engine import warehouse_engine

    engine = warehouse_engine("analyst") if answers else None
    for path, content in pages(Settings.from_environment(), engine).items():
        path.write_text(content, encoding="utf-8")
        click.echo(path)


if __name__ == "__main__":
    main()
