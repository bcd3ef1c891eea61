"""What the monitoring of the Code asks of the data's quality, and which rules or tests hold it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from mobility_warehouse.quality.rules import RuleError


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement: what must hold, how grave it is, and what holds it.

    ``held_by`` names rules as ``<suite>.<asset>.<rule>`` and tests of the build as ``dbt.<test>``;
    ``also`` says in words what holds it elsewhere, such as the landing.
    """

    requirement: str
    severity: Literal["critical", "warning"]
    held_by: tuple[str, ...]
    also: str = ""


def read_requirements(path: Path) -> tuple[Requirement, ...]:
    """Requirements of the file, none where there is no file. Raises RuleError."""
    if not path.is_file():
        return ()
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=tuple[Requirement, ...])
    except msgspec.DecodeError as error:
        raise RuleError(f"{path}: {error}") from error
