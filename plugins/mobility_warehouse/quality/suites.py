"""The suites that the gates judge: what the rule files state and what declarations and catalogue imply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, text

from mobility_warehouse.database.declared import table_name
from mobility_warehouse.publication.publish import LINEAGE_COLUMN
from mobility_warehouse.publication.relations import ForeignKey, Relation, quoted, read_relations
from mobility_warehouse.quality.rules import Golden, RowCount, Rule, RuleError, Suite, read_rules, read_table
from mobility_warehouse.sources.declaration import Resource, Source

#: Share of a golden value beyond which even a later refresh of the publisher is looked at.
_GOLDEN_REVISION = 0.25
#: Share of a mart's published rows whose withdrawal is looked at before it surprises a reader.
_WITHDRAWN_SHARE = 0.10
#: Share of a mart's published rows below which its candidate is no revision but a loss.
_COLLAPSED_SHARE = 0.50
_SHARE_SUFFIX = "share"
_COUNTRY_SUFFIX = "_iso3"
_COUNTRY_DIMENSION = "dim_country"
#: Marts of facts that rest on reviewed seeds; what lands beside them is a check, and may not be there.
_REVIEWED_MARTS = frozenset({"instruments", "published_figures"})


def raw_suite(source: Source, expectations_dir: Path) -> Suite:
    """What is judged of a source: its declared basics, its fetches, its reviewed counts and its own rules.

    Rules of ``raw/<source>.yml`` name a resource, ``fetch`` (each slice's last fetch) or ``fetches`` (all)
    as their asset. Only current versions are judged; ``known_at`` makes them those of a moment. Raises
    RuleError for an asset that is none of these.
    """
    known = "(landed_at is null or landed_at <= 'infinity')"
    batches = {
        "fetch": (
            "select distinct on (resource, slice) * from raw.fetch "
            f"where source = {_literal(source.name)} and outcome <> 'running' and {known} "
            "order by resource, slice, fetch_id desc"
        ),
        "fetches": f"select * from raw.fetch where source = {_literal(source.name)} and {known}",
    }
    tables = {"fetch": "raw.fetch", "fetches": "raw.fetch"}
    rules: list[Rule] = list(_fetch_rules(source))
    counts = read_table(expectations_dir / "row_counts.csv", RowCount)
    golden = read_table(expectations_dir / "golden_observations.csv", Golden)
    for resource in source.resources:
        table = f"raw.{table_name(source.name, resource)}"
        tables[resource.name] = table
        batches[resource.name] = f"select * from {table} where fetched_to = 'infinity'"
        rules += _resource_rules(resource)
        rules += _row_count_rules(resource.name, "slice", [c for c in counts if c.relation == table])
        rules += _golden_rules(resource.name, [g for g in golden if g.relation == table])
    rules += _known_assets(expectations_dir / "raw" / f"{source.name}.yml", batches)
    return Suite(name=f"raw_{source.name}", batches=batches, tables=tables, rules=tuple(rules))


def mart_suite(connection: Connection, expectations_dir: Path) -> Suite:
    """What is judged of the candidate: every table of ``audit`` and the rules of ``marts/*.yml``.

    Rules name a mart as their asset. Raises RuleError for a rule on a mart that was not built, so that a
    rule is never passed by having nothing to judge.
    """
    relations = read_relations(connection, "audit")
    published = read_relations(connection, "marts")
    batches = {name: f"select * from {relation.identifier}" for name, relation in relations.items()}
    counts = read_table(expectations_dir / "row_counts.csv", RowCount)
    last: date | None = connection.execute(
        text("select cast(max(published_at) as date) from quality.publication")
    ).scalar_one()
    rules: list[Rule] = []
    for name, relation in sorted(relations.items()):
        bands = [count for count in counts if count.relation == f"marts.{name}"]
        rules += _mart_rules(relation)
        if name in published:
            rules += _withdrawal_rules(relation)
            # Whoever counted the mart since the last publication has seen how few rows there are.
            if last is None or all(band.counted_on <= last for band in bands):
                rules += _collapse_rules(relation)
        rules += _row_count_rules(name, None, bands)
    for path in sorted((expectations_dir / "marts").glob("*.yml")):
        rules += _known_assets(path, batches)
    tables = {name: f"audit.{name}" for name in relations}
    return Suite(name="marts", batches=batches, tables=tables, rules=tuple(rules))


def _known_assets(path: Path, batches: Iterable[str]) -> tuple[Rule, ...]:
    rules = read_rules(path)
    for rule in rules:
        if rule.asset not in batches:
            raise RuleError(
                f"{path}: rule {rule.rule} judges {rule.asset}, which does not exist; there are "
                f"{', '.join(sorted(batches))}"
            )
    return rules


def _fetch_rules(source: Source) -> Iterator[Rule]:
    slices = ", ".join(f"({_literal(part.resource)}, {_literal(part.name)})" for part in source.slices())
    landed = "outcome in ('loaded', 'unchanged')"
    yield Rule(
        rule="every_slice_landed",
        asset="fetches",
        severity="critical",
        description="Every declared slice has been landed at least once",
        query=f"""
            select declared.resource, declared.slice
            from (values {slices}) as declared (resource, slice)
            where not exists (
                select from batch as fetch_log
                where
                    fetch_log.resource = declared.resource
                    and fetch_log.slice = declared.slice
                    and fetch_log.{landed}
            )
        """,
    )
    yield Rule(
        rule="every_record_counted",
        asset="fetches",
        severity="critical",
        description="What was read is what was inserted, revised, left, dropped or quarantined",
        query=f"""
            select fetch_id, resource, slice, read from batch as fetch_log
            where {landed} and read <> inserted + revised + unchanged + noise + duplicate
                + superseded + absent + quarantined
        """,
    )
    yield Rule(
        rule="last_pull_landed",
        asset="fetch",
        severity="warning",
        description="The last pull of every slice landed; otherwise its last good state stands",
        query=f"""
            select fetch_id, resource, slice, outcome, message from batch as fetch_log where not {landed}
        """,
    )
    for resource in source.resources:
        yield Rule(
            rule=f"{resource.name}_quarantined_share",
            asset="fetch",
            severity="warning",
            description=(
                f"At most a fifth of what would refuse the pull ({resource.max_quarantined_share:.0%}) is "
                "quarantined"
            ),
            query=f"""
                select fetch_id, resource, slice, read, quarantined from batch as fetch_log
                where
                    resource = {_literal(resource.name)}
                    and quarantined > read * {resource.max_quarantined_share} / 5
            """,
        )


def _resource_rules(resource: Resource) -> Iterator[Rule]:
    key = ", ".join(quoted(name) for name in resource.key)
    yield Rule(
        rule="key_unique",
        asset=resource.name,
        severity="critical",
        description=f"One current version a key ({', '.join(resource.key)}); null is a value of its own",
        query=f"""
            select {key}, count(*) as versions from batch as version group by {key} having count(*) > 1
        """,
    )
    yield Rule(
        rule="not_empty",
        asset=resource.name,
        severity="critical",
        description="The resource holds current versions",
        expect="ExpectTableRowCountToBeBetween",
        options={"min_value": 1},
    )
    for column in resource.columns:
        if column.restricted:
            continue
        if not column.nullable:
            yield Rule(
                rule=f"{column.name}_not_null",
                asset=resource.name,
                severity="critical",
                description=f"{column.description}: declared as never missing",
                expect="ExpectColumnValuesToNotBeNull",
                options={"column": column.name},
            )
        if column.known_values is not None:
            yield Rule(
                rule=f"{column.name}_known",
                asset=resource.name,
                severity="critical",
                description=f"{column.description}: only declared values",
                expect="ExpectColumnValuesToBeInSet",
                options={"column": column.name, "value_set": sorted(column.known_values)},
            )


def _mart_rules(relation: Relation) -> Iterator[Rule]:
    name = relation.name
    yield Rule(
        rule="not_empty",
        asset=name,
        severity="critical",
        description="The mart holds rows",
        expect="ExpectTableRowCountToBeBetween",
        options={"min_value": 1},
    )
    if relation.primary_key:
        key = ", ".join(quoted(column) for column in relation.primary_key)
        yield Rule(
            rule="key_unique",
            asset=name,
            severity="critical",
            description=f"One row a key ({', '.join(relation.primary_key)}), no part missing",
            query=f"""
                select {key}, count(*) as "rows" from batch as mart group by {key}
                having count(*) > 1 or num_nulls({key}) > 0
            """,
        )
    if LINEAGE_COLUMN in relation.column_names:
        yield from _lineage_rules(relation)
    yield from _reference_rules(relation)
    for column in relation.columns:
        is_number = column.type.startswith(("numeric", "double", "real"))
        is_percent = "percent of" in (column.comment or "")
        if is_number and column.name.endswith(_SHARE_SUFFIX) and not is_percent:
            yield Rule(
                rule=f"{column.name}_is_share",
                asset=name,
                severity="critical",
                description="A share lies between 0 and 1",
                expect="ExpectColumnValuesToBeBetween",
                options={"column": column.name, "min_value": 0, "max_value": 1},
            )


def _reference_rules(relation: Relation) -> Iterator[Rule]:
    """Rows that a foreign key, declared or of any country column, leads nowhere; PostgreSQL enforces none."""
    keys = set(relation.foreign_keys.values())
    if relation.name != _COUNTRY_DIMENSION:
        keys |= {
            ForeignKey((column.name,), _COUNTRY_DIMENSION, ("country_iso3",))
            for column in relation.columns
            if column.name.endswith(_COUNTRY_SUFFIX)
        }
    for key in sorted(keys):
        columns = [quoted("mart", column) for column in key.columns]
        pairs = zip(columns, key.referenced_columns, strict=True)
        same = " and ".join(f"parent.{quoted(parent)} = {child}" for child, parent in pairs)
        yield Rule(
            rule=f"{'_'.join(key.columns)}_resolved",
            asset=relation.name,
            severity="critical",
            description=f"Every {' with '.join(key.columns)} is one of {key.references}",
            query=f"""
                select distinct {", ".join(columns)} from batch as mart
                where num_nulls({", ".join(columns)}) = 0 and not exists (
                    select from {quoted("audit", key.references)} as parent where {same}
                )
            """,
        )


def _withdrawal_rules(relation: Relation) -> Iterator[Rule]:
    key = quoted(relation.primary_key[0]) if relation.primary_key else None
    if key is None:
        return
    same = " and ".join(f"candidate.{name} = standing.{name}" for name in map(quoted, relation.primary_key))
    standing = quoted("marts", relation.name)
    yield Rule(
        rule="rows_not_withdrawn",
        asset=relation.name,
        severity="warning",
        description=f"At most {_WITHDRAWN_SHARE:.0%} of the published rows would be withdrawn",
        query=f"""
            select
                count(*) as published,
                count(*) filter (where candidate.{key} is null) as withdrawn
            from {standing} as standing
            left join batch as candidate on {same}
            having count(*) filter (where candidate.{key} is null) > {_WITHDRAWN_SHARE} * count(*)
        """,
    )


def _collapse_rules(relation: Relation) -> Iterator[Rule]:
    """A mart that loses half of its rows at once; synthetic ones may all go when real ones come."""
    if "is_synthetic" not in relation.column_names:
        return
    yield Rule(
        rule="rows_not_collapsed",
        asset=relation.name,
        severity="critical",
        description=f"At least {_COLLAPSED_SHARE:.0%} as many rows that are not synthetic as are published",
        query=f"""
            select standing.published, candidate."rows"
            from
                (
                    select count(*) as published from {quoted("marts", relation.name)} where not is_synthetic
                ) as standing,
                (select count(*) as "rows" from batch where not is_synthetic) as candidate
            where candidate."rows" < {_COLLAPSED_SHARE} * standing.published
        """,
    )


def _lineage_rules(relation: Relation) -> Iterator[Rule]:
    yield Rule(
        rule="lineage_landed",
        asset=relation.name,
        severity="critical",
        description="Every fetch that a row names has landed",
        query=f"""
            select * from batch as mart
            where {LINEAGE_COLUMN} is null or {LINEAGE_COLUMN} && (
                select array_agg(named.fetch_id)
                from (select distinct unnest({LINEAGE_COLUMN}) as fetch_id from batch) as named
                where not exists (
                    select from raw.fetch as pull
                    where pull.fetch_id = named.fetch_id and pull.outcome = 'loaded'
                )
            )
        """,
    )
    if not relation.name.startswith("dim_") and relation.name not in _REVIEWED_MARTS:
        yield Rule(
            rule="has_lineage",
            asset=relation.name,
            severity="critical",
            description="Every row that states a figure names the fetches that it rests on",
            query=f"select * from batch as mart where cardinality({LINEAGE_COLUMN}) = 0",
        )
    if "is_synthetic" in relation.column_names:
        yield Rule(
            rule="synthetic_is_marked",
            asset=relation.name,
            severity="critical",
            description="A row that rests on any synthetic fetch is marked synthetic",
            query=f"""
                select * from batch as mart
                where not is_synthetic and {LINEAGE_COLUMN} && (
                    select array_agg(pull.fetch_id) from raw.fetch as pull where pull.synthetic
                )
            """,
        )


def _row_count_rules(asset: str, part_column: str | None, counts: Sequence[RowCount]) -> Iterator[Rule]:
    if not counts:
        return
    bands = ", ".join(f"({_literal(c.part)}, {c.min_rows}, {c.max_rows})" for c in counts)
    if part_column:
        counted = (
            f'left join (select {part_column} as part, count(*) as "rows" from batch group by {part_column})'
        )
        joined = f"{counted} as counted on band.part = counted.part"
    else:
        joined = 'cross join (select count(*) as "rows" from batch) as counted'
    found = 'coalesce(counted."rows", 0)'
    for rule, severity, condition, words in (
        ("rows_not_lost", "critical", f"{found} < band.min_rows", "fewer rows than ever expected"),
        ("rows_not_inflated", "warning", f"{found} > band.max_rows", "more rows than expected"),
    ):
        yield Rule(
            rule=rule,
            asset=asset,
            severity="critical" if severity == "critical" else "warning",
            description=f"No part has {words} (reviewed bands of row_counts.csv)",
            query=f"""
                select band.part, band.min_rows, band.max_rows, {found} as "rows"
                from (values {bands}) as band (part, min_rows, max_rows)
                {joined}
                where {condition}
            """,
        )


def _golden_rules(asset: str, golden: Sequence[Golden]) -> Iterator[Rule]:
    if not golden:
        return
    alike: dict[tuple[str, ...], list[Golden]] = {}
    for value in golden:
        alike.setdefault((value.column, value.vintage_column, *value.key_values), []).append(value)
    found = " union all ".join(map(_golden_query, alike.values()))
    yield Rule(
        rule="golden_observations",
        asset=asset,
        severity="critical",
        description="Values checked by hand against the publisher are as checked, in the refresh checked",
        query=f"""
            select * from ({found}) as golden
            where
                golden.checked_vintage <> ''
                and starts_with(golden.vintage, golden.checked_vintage)
                and abs(golden.found - golden.expected) > golden.tolerance * abs(golden.expected)
        """,
    )
    yield Rule(
        rule="golden_observations_stand",
        asset=asset,
        severity="warning",
        description=(
            "Values checked by hand against the publisher are still there and were not revised by more than "
            f"{_GOLDEN_REVISION:.0%}"
        ),
        query=f"""
            select * from ({found}) as golden
            where
                golden.found is null
                or abs(golden.found - golden.expected) > {_GOLDEN_REVISION} * abs(golden.expected)
        """,
    )


def _golden_query(golden: Sequence[Golden]) -> str:
    """Checked values of the same columns beside those found, by one reading of the resource."""
    values = ", ".join(
        "({})".format(
            ", ".join(
                (
                    _literal(", ".join(value.key_values.values())),
                    f"{value.value!r}::double precision",
                    f"{value.tolerance!r}::double precision",
                    *map(_literal, (value.vintage, *value.key_values.values())),
                )
            )
        )
        for value in golden
    )
    columns = [quoted(column) for column in golden[0].key_values]
    names = [f"key_{number}" for number in range(len(columns))]
    same = " and ".join(
        f"cast(observation.{column} as text) = checked.{name}"
        for column, name in zip(columns, names, strict=True)
    )
    return f"""
        select
            checked.observation, checked.expected, checked.tolerance, checked.checked_vintage,
            cast(observation.{quoted(golden[0].vintage_column)} as text) as vintage,
            cast(observation.{quoted(golden[0].column)} as double precision) as found
        from
            (values {values})
            as checked (observation, expected, tolerance, checked_vintage, {", ".join(names)})
        left join batch as observation on {same}
    """


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
