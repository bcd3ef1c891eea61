"""Great Expectations, run on the warehouse: the only module that imports it, and only when it judges."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import current_process, get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event, text

from mobility_warehouse.quality.results import RuleResult, Severity
from mobility_warehouse.quality.rules import WITHOUT_NESTED_LOOPS, Rule, Suite

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.abstract_data_context import AbstractDataContext
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

#: Rows at fault that are kept of each rule.
KEPT_ROWS = 20
#: Severity of a rule that cannot be evaluated, where it is not critical.
_BROKEN: Mapping[Severity, Severity] = {"review": "warning"}
#: Fewer assets are judged sooner than a process is forked for them.
_ASSETS_A_PROCESS = 8
#: Pages of validation results that the index of the Data Docs lists.
_INDEXED_RESULTS = 200


@contextmanager
def data_context(home: Path) -> Iterator[AbstractDataContext]:
    """A context configured by code: results under ``<home>/expectations``, pages under ``<home>/data_docs``.

    Nothing is sent anywhere, and no file of configuration is written that parallel gates could corrupt.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # Great Expectations reads a stored expectation by its type only once the type's module is imported.
    import mobility_warehouse.quality.expectations  # noqa: F401

    defaults = InMemoryStoreBackendDefaults()
    stores = {
        **defaults.stores,
        # Kept as files, too: pages of results link to the pages of suites that other processes judged.
        defaults.expectations_store_name: _file_store("ExpectationsStore", home / "expectations" / "suites"),
        defaults.validation_results_store_name: _file_store("ValidationResultsStore", validations_dir(home)),
    }
    yield great_expectations.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=defaults,
            stores=stores,
            data_docs_sites={
                "data_docs": {
                    "class_name": "SiteBuilder",
                    "site_name": "Health Worker Mobility Warehouse",
                    "show_how_to_buttons": False,
                    "site_section_builders": {"profiling": "None"},
                    "store_backend": _files(home / "data_docs"),
                    "site_index_builder": {
                        "class_name": "DefaultSiteIndexBuilder",
                        "validation_results_limit": _INDEXED_RESULTS,
                    },
                }
            },
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )


def validations_dir(home: Path) -> Path:
    """Where the validation results lie from which the Data Docs are built."""
    return home / "expectations" / "validations"


def _files(directory: Path) -> dict[str, Any]:
    return {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(directory)}


def _file_store(class_name: str, directory: Path) -> dict[str, Any]:
    return {"class_name": class_name, "store_backend": _files(directory)}


def judge(engine: Engine, suites: Sequence[Suite], *, run_id: str, home: Path) -> dict[str, list[RuleResult]]:
    """Judge suites as the engine's role, many assets in a process for each core where it may fork any.

    Gives the results by suite.

    A rule that cannot be evaluated (a column gone, malformed SQL) is a critical failure whatever its
    severity: it vouches for nothing. One for review vouches for nothing anyway, and is a warning.
    """
    with engine.connect() as connection:
        role: str = connection.execute(text("select current_user")).scalar_one()
    settings = f"-c role={role} -c default_transaction_read_only=on -c {WITHOUT_NESTED_LOOPS}"
    options = f"{engine.url.query.get('options', '')} {settings}".strip()
    url = engine.url.update_query_dict({"options": options}).render_as_string(hide_password=False)
    # The longest lists of rules first, dealt out in turn, so that no process waits long for another.
    assets = sorted(
        ((suite, asset) for suite in suites for asset in suite.batches),
        key=lambda judged: -sum(rule.asset == judged[1] for rule in judged[0].rules),
    )
    processes = min(len(os.sched_getaffinity(0)), len(assets) // _ASSETS_A_PROCESS)
    # Celery's workers are daemons, which may have no children; their other tasks keep the cores busy.
    if processes < 2 or current_process().daemon:
        found = _judge_assets(url, assets, run_id, home)
    else:
        # Forked where Great Expectations is imported, which takes as long as judging.
        with data_context(home), ProcessPoolExecutor(processes, get_context("fork")) as pool:
            parts = [
                pool.submit(_judge_assets, url, assets[number::processes], run_id, home)
                for number in range(processes)
            ]
            found = {asset: results for part in parts for asset, results in part.result().items()}
    return {
        suite.name: [result for asset in suite.batches for result in found[suite.name, asset]]
        for suite in suites
    }


def _judge_assets(
    url: str, assets: Sequence[tuple[Suite, str]], run_id: str, home: Path
) -> dict[tuple[str, str], list[RuleResult]]:
    """The results by suite and asset, in a context and over a connection of their own."""
    queries = frozenset(suite.batches[asset] for suite, asset in assets)
    with data_context(home) as context, _datasource(context, url, queries) as datasource:
        return {
            (suite.name, asset): list(
                _judge_asset(context, datasource, suite, asset, suite.batches[asset], run_id)
            )
            for suite, asset in assets
        }


@contextmanager
def _datasource(context: AbstractDataContext, url: str, queries: frozenset[str]) -> Iterator[SQLDatasource]:
    datasource = context.data_sources.add_sql("warehouse", connection_string=url)

    @event.listens_for(datasource.get_execution_engine().engine, "before_cursor_execute", retval=True)
    def _columns_alone(
        _connection: object, _cursor: object, statement: str, parameters: Any, _context: object, _many: bool
    ) -> tuple[str, Any]:
        # To learn its columns Great Expectations runs an asset's query; the driver would fetch every row.
        if statement.strip() in queries:
            statement = f"select * from ({statement}) as asset limit 0"
        return statement, parameters

    try:
        yield datasource
    finally:
        datasource.get_engine().dispose()


def _judge_asset(
    context: AbstractDataContext,
    datasource: SQLDatasource,
    suite: Suite,
    asset: str,
    query: str,
    run_id: str,
) -> Iterator[RuleResult]:
    from great_expectations import ExpectationSuite, ValidationDefinition
    from great_expectations.core.run_identifier import RunIdentifier

    rules = {f"{number}": rule for number, rule in enumerate(r for r in suite.rules if r.asset == asset)}
    if not rules:
        return
    name = f"{suite.name}__{asset}"
    gx_suite = context.suites.add_or_update(
        ExpectationSuite(
            name=name,
            expectations=[_expectation(rule, number) for number, rule in rules.items()],
        )
    )
    batch = datasource.add_query_asset(name, query=query).add_batch_definition_whole_table("current")
    definition = context.validation_definitions.add(
        ValidationDefinition(name=name, data=batch, suite=gx_suite)
    )
    outcome = definition.run(
        # COMPLETE would fetch every value at fault.
        result_format={"result_format": "SUMMARY", "partial_unexpected_count": KEPT_ROWS},
        run_id=RunIdentifier(run_name=run_id),
    )
    for verdict in outcome.results:
        content: Any = verdict.to_json_dict()
        rule = rules[content["expectation_config"]["meta"]["number"]]
        yield _result(suite, rule, content)


def _expectation(rule: Rule, number: str) -> Any:
    from great_expectations import expectations

    from mobility_warehouse.quality.expectations import ExpectNoRowAtFault

    common: dict[str, Any] = {
        # Great Expectations knows no review; what is suspicious is no failure.
        "severity": "info" if rule.severity == "review" else rule.severity,
        "description": f"{rule.rule}: {rule.description}",
        "meta": {"rule": rule.rule, "number": number},
    }
    if rule.query is not None:
        return ExpectNoRowAtFault(unexpected_rows_query=_query(rule.query), **common)
    return getattr(expectations, str(rule.expect))(**rule.options, **common)


def _query(query: str) -> str:
    from mobility_warehouse.quality.expectations import AT_FAULT, COUNT

    # Great Expectations puts the batch in by str.format, with an alias or without as the query has a join
    # or not, and hands the whole to SQLAlchemy, to which a colon is a parameter.
    escaped = query.strip().replace("{", "{{").replace("}", "}}").replace(":", "\\:")
    # The batch is not written out where a rule reads it twice, and its indexes can be used; the rows at fault
    # are, to be read twice. They come as JSON: Great Expectations inspects the call stack for every Decimal
    # that it serialises, which took half of a gate's time.
    return (
        f"with batch as not materialized (select * from {{batch}}), at_fault as materialized ({escaped}) "
        f"select to_jsonb(at_fault) as {AT_FAULT}, (select count(*) from at_fault) as {COUNT} "
        f"from at_fault limit {KEPT_ROWS}"
    )


def _result(suite: Suite, rule: Rule, content: Mapping[str, Any]) -> RuleResult:
    found = content.get("result") or {}
    column = rule.options.get("column")
    broken = _exception_message(content.get("exception_info") or {})
    if rule.query is not None:
        rows = (found.get("details") or {}).get("unexpected_rows") or []
        unexpected = found.get("observed_value")
        observed: dict[str, Any] | None = None
    else:
        rows = [{str(column or "value"): value} for value in found.get("partial_unexpected_list") or []]
        unexpected = found.get("unexpected_count")
        observed = {"value": found["observed_value"]} if "observed_value" in found else None
    if broken:
        observed = {"error": broken}
    element_count = found.get("element_count")
    return RuleResult(
        suite=suite.name,
        asset=suite.tables[rule.asset],
        rule=rule.rule,
        expectation=rule.expect or "UnexpectedRowsExpectation",
        column_name=column if isinstance(column, str) else None,
        severity=_BROKEN.get(rule.severity, "critical") if broken else rule.severity,
        success=bool(content["success"]),
        description=f"the rule could not be evaluated: {broken}" if broken else rule.description,
        element_count=element_count,
        unexpected_count=unexpected,
        unexpected_share=unexpected / element_count if element_count and unexpected is not None else None,
        observed=observed,
        unexpected_rows=rows[:KEPT_ROWS] or None,
    )


def _exception_message(info: Mapping[str, Any]) -> str | None:
    """First line of what an expectation raised; its place in the result depends on the metric."""
    if "raised_exception" in info:
        info = {"": info}
    for exception in info.values():
        if exception.get("raised_exception"):
            return str(exception.get("exception_message")).strip().splitlines()[0]
    return None
