"""Laws of this project that dbt-bouncer has no check for: on keys, what a mart reads, and seeds."""

from __future__ import annotations

import re
from typing import Any

from dbt_bouncer.check_framework.decorator import check, fail

_KEY_CONSTRAINTS = frozenset({"primary_key", "unique"})
_UNIQUENESS_TESTS = frozenset({"unique", "unique_combination"})
_REFERENCE = re.compile(r"ref\(\s*['\"](\w+)['\"]\s*\)")


@check  # type: ignore[untyped-decorator]
def check_model_declares_key(model: Any) -> None:
    """Models must declare the columns that name a row, as a constraint over columns that they describe.

    A declaration costs no query in a run; that it is true is tested on the whole snapshot, and PostgreSQL
    holds the marts to theirs.
    """
    keys = [each for each in model.constraints or [] if str(each.type) in _KEY_CONSTRAINTS]
    if len(keys) != 1:
        fail(f"`{model.name}` declares {len(keys)} keys; one constraint primary_key or unique is wanted.")
    unknown = sorted(set(keys[0].columns or []) - set(model.columns or {}))
    if unknown or not keys[0].columns:
        fail(f"`{model.name}` has a key over columns that it does not describe: {unknown}.")


@check  # type: ignore[untyped-decorator]
def check_model_reads(model: Any, ctx: Any, *, upstream_path_pattern: str) -> None:
    """The SQL of models must read no models but those whose path matches ``upstream_path_pattern``."""
    read = set(_REFERENCE.findall(model.raw_code or ""))
    paths = {each.name: each.original_file_path for each in ctx.models}
    strange = sorted(name for name in read & set(paths) if not re.match(upstream_path_pattern, paths[name]))
    if strange:
        fail(f"`{model.name}` reads models of a layer that it may not read: {strange}.")


@check  # type: ignore[untyped-decorator]
def check_seed_columns_declared(seed: Any) -> None:
    """Seeds must describe every column, and give its type where dbt reads it: in config.column_types."""
    typed = set(seed.config.column_types or {})
    described = {name for name, column in (seed.columns or {}).items() if (column.description or "").strip()}
    if typed != described:
        fail(f"`{seed.name}` has columns with a type or a description only: {sorted(typed ^ described)}.")


@check  # type: ignore[untyped-decorator]
def check_seed_has_unique_test(seed: Any, ctx: Any) -> None:
    """Seeds must have a test of their key: nothing but a test keeps a file from naming a row twice."""
    tests = [each.test_metadata for each in ctx.tests_by_attached_node.get(seed.unique_id, [])]
    if not any(each and each.name in _UNIQUENESS_TESTS for each in tests):
        fail(f"`{seed.name}` has no test of its key.")
