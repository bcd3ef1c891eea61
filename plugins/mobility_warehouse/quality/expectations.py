"""An expectation of our own. Imported only where Great Expectations judges: importing that takes seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation

if TYPE_CHECKING:
    from great_expectations.execution_engine.execution_engine import ExecutionEngine

#: Columns of the query: a row at fault as JSON, and how many there are in all.
AT_FAULT, COUNT = "row_at_fault", "rows_at_fault"


class ExpectNoRowAtFault(UnexpectedRowsExpectation):
    """Great Expectations' rule on a query, judged by one statement that gives some rows and counts them all.

    The parent class runs a rule's query twice, to fetch the rows at fault and to count them, and fetches all
    of them.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.table",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,
    ) -> dict[str, Any]:
        rows = metrics["unexpected_rows_query.table"]
        return {
            "success": not rows,
            "result": {
                "observed_value": rows[0][COUNT] if rows else 0,
                "details": {"unexpected_rows": [row[AT_FAULT] for row in rows]},
            },
        }
