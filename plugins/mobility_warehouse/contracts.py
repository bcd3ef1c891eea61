"""The data contract of the published marts, in the Open Data Contract Standard.

What the marts promise their readers is declared once: shape, keys and tests in the dbt project, counts in
``expectations/row_counts.csv``, licences and cadence in the sources. This module says the same in the terms
of the standard, https://bitol-io.github.io/open-data-contract-standard/v3.1.0/, for catalogues and for tools
that test a database against a contract. All marts are one contract, since one transaction publishes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import yaml

from mobility_warehouse.publication.lineage import declared_lineage
from mobility_warehouse.quality.rules import RowCount
from mobility_warehouse.sources.declaration import Source

if TYPE_CHECKING:
    from mobility_warehouse.documents import Mart, MartColumn

API_VERSION = "v3.1.0"
_HEADER = "# Written by `python -m mobility_warehouse.documents`; do not edit.\n"
_REFERENCE = re.compile(r"ref\(['\"](\w+)['\"]\)")

_PURPOSE = (
    "Figures that monitor the WHO Global Code of Practice on the International Recruitment of Health "
    "Personnel: reports on the Code, agreements, safeguards, stocks and flows of health workers, remittances."
)
_USAGE = (
    "Join the marts on their foreign keys. Any row is traced to what was pulled by `mobility trace` and "
    "`marts.trace`. Every figure keeps its publisher's licence, named in the property sources; some forbid "
    "commercial use or ask to be passed on alike. The shipped figures of sources that are marked synthetic "
    "are invented: rows that rest on any of them say is_synthetic, are no statement about a country, and are "
    "not to be passed on without saying so."
)
_LIMITATIONS = (
    "is_synthetic, is_modelled and null are never to be mixed up with measured figures: is_modelled marks "
    "what a publisher or this project estimated, and null is missing, never zero. Aggregates state what "
    "share of their population they cover, and are refused below it."
)


def contract_page(marts: Sequence[Mart], sources: Iterable[Source], counts: Iterable[RowCount]) -> str:
    """The contract as YAML.

    Raises KeyError for a column of a type that has no logical type here, ValueError for a foreign key that
    names its mart otherwise than by ``ref``.
    """
    bands = {count.relation.removeprefix("marts."): count for count in counts}
    content = {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": "mobility-warehouse-marts",
        "name": "Health Worker Mobility Warehouse: published marts",
        "version": version("mobility-warehouse"),
        "status": "active",
        "domain": "health workforce",
        "dataProduct": "Health Worker Mobility Warehouse",
        "description": {
            "purpose": _PURPOSE,
            "usage": _USAGE,
            "limitations": _LIMITATIONS,
            "authoritativeDefinitions": [
                {"type": "termsOfUse", "url": "docs/data-licences.md"},
                {"type": "documentation", "url": "docs/marts.md"},
            ],
        },
        "servers": [
            {
                "server": "warehouse",
                "type": "postgres",
                "description": "The database of an installation; `mobility status` shows its host and port.",
                "host": "localhost",
                "port": 5432,
                "database": "warehouse",
                "schema": "marts",
            }
        ],
        "roles": [
            {"role": role, "access": "read", "description": description}
            for role, description in (
                ("analyst", "Reads the marts, reference tables and results of quality rules."),
                ("bi_reader", "The same, for BI tools."),
            )
        ],
        "slaProperties": [
            {
                "property": "frequency",
                "value": 1,
                "unit": "d",
                "driver": "analytics",
                "description": (
                    "Published after every pull that landed something new, each source on the schedule that "
                    "it declares; where a critical rule fails, the last publication stands."
                ),
            },
            {
                "property": "retention",
                "value": "unlimited",
                "description": "Every version of every record is kept; the marts of any day can be rebuilt.",
            },
        ],
        "schema": [_schema(mart, bands.get(mart.name)) for mart in marts],
        "customProperties": [{"property": "sources", "value": [_source(source) for source in sources]}],
    }
    return _HEADER + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def _source(source: Source) -> dict[str, Any]:
    return {
        "source": source.name,
        "title": source.title,
        "publisher": source.publisher,
        "licence": source.licence,
        "licenceUrl": source.licence_url,
        "attribution": source.attribution,
        "cadence": source.cadence,
        "schedule": source.schedule,
        "isSyntheticAsShipped": source.synthetic,
        "isModelled": source.modelled,
    }


def _schema(mart: Mart, band: RowCount | None) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "name": mart.name,
        "physicalType": "table",
        "logicalType": "object",
        "description": mart.description,
        "dataGranularityDescription": f"One row per {', '.join(mart.key)}",
        "tags": [mart.subject],
        "properties": [_property(mart, column) for column in mart.columns],
    }
    relationships = [
        {
            "type": "foreignKey",
            "from": [f"{mart.name}.{column}" for column in key["columns"]],
            "to": [f"{_referenced(key['to'])}.{column}" for column in key["to_columns"]],
        }
        for key in mart.declared.get("constraints", [])
        if key["type"] == "foreign_key"
    ]
    if relationships:
        schema["relationships"] = relationships
    quality = _rules(mart.declared, None)
    if band is not None:
        quality.append(
            {
                "type": "library",
                "metric": "rowCount",
                "mustBeGreaterOrEqualTo": band.min_rows,
                "dimension": "completeness",
                "description": "No fewer rows than were ever reviewed",
            }
        )
    if quality:
        schema["quality"] = quality
    lineage = declared_lineage().get(mart.name, ())
    if lineage:
        landed = sorted({each.records for each in lineage})
        schema["customProperties"] = [{"property": "restsOnRecords", "value": landed}]
    return schema


def _referenced(to: str) -> str:
    found = _REFERENCE.fullmatch(to)
    if found is None:
        raise ValueError(f"a foreign key to {to!r}, which is no ref()")
    return found[1]


#: Logical types of the standard by the base of PostgreSQL's.
_LOGICAL_TYPES = {
    "text": "string",
    "boolean": "boolean",
    "integer": "integer",
    "bigint": "integer",
    "numeric": "number",
    "double precision": "number",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamp",
}


def _property(mart: Mart, column: MartColumn) -> dict[str, Any]:
    element = column.type.removesuffix("[]")
    logical = _LOGICAL_TYPES[element.partition("(")[0]]
    is_array = column.type != element
    described: dict[str, Any] = {
        "name": column.name,
        "logicalType": "array" if is_array else logical,
        "physicalType": column.type,
        "description": column.description,
        "required": not column.nullable,
    }
    if column.name in mart.key:
        described |= {"primaryKey": True, "primaryKeyPosition": mart.key.index(column.name) + 1}
    if is_array:
        described["items"] = {"logicalType": logical}
    quality = _rules(column.declared, column.name)
    if quality:
        described["quality"] = quality
    return described


def _rules(declared: Mapping[str, Any], column: str | None) -> list[dict[str, Any]]:
    """The tests of a mart or column as rules on the published rows.

    Left out are tests that the contract states otherwise, as keys, and those that only warn: what is odd is
    published with its warning, and is no promise.
    """
    rules = []
    for test in declared.get("data_tests", []):
        ((kind, given),) = test.items() if isinstance(test, dict) else ((test, {}),)
        config = given.get("config", {})
        faults = " or ".join(_faults(kind, given.get("arguments", {}), column))
        if not faults or config.get("severity") == "warn":
            continue
        rows = f"({config['where']}) and ({faults})" if "where" in config else faults
        rules.append(
            {
                "type": "sql",
                "description": f"No row where {rows}",
                "dimension": "conformity",
                "severity": "error",
                "query": f"select count(*) from ${{object}} where {rows}",
                "mustBe": 0,
            }
        )
    return rules


def _faults(kind: str, arguments: Mapping[str, Any], column: str | None) -> Iterator[str]:
    """Conditions of which any makes a row one at fault."""
    match kind:
        case "accepted_values":
            values = (f"'{each}'" if isinstance(each, str) else str(each) for each in arguments["values"])
            yield f"{column} not in ({', '.join(values)})"
        case "accepted_range":
            if "at_least" in arguments:
                yield f"{column} < {arguments['at_least']}"
            if "at_most" in arguments:
                yield f"{column} > {arguments['at_most']}"
        case "not_negative":
            yield f"{column} < 0"
        case "holds":
            yield f"not ({' '.join(str(arguments['expression']).split())})"
