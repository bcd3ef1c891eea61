"""The lock file against the machines that it is to be installed on, none of which may need a compiler."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

_LOCK = tomllib.loads((Path(__file__).parents[2] / "uv.lock").read_text())
_PROJECT = "mobility-warehouse"
_SUPPORTED = SpecifierSet(_LOCK["requires-python"])
_PYTHONS = [minor for minor in range(100) if f"3.{minor}" in _SUPPORTED]
#: The newest glibc 2 that any wheel may ask for: that of Debian 11.
_GLIBC = 31


def _environment(python: int, machine: str) -> dict[str, str]:
    return {
        "python_version": f"3.{python}",
        "python_full_version": f"3.{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": machine,
        "platform_system": "Linux",
        "sys_platform": "linux",
        "os_name": "posix",
    }


def _tags(python: int, machine: str) -> set[Tag]:
    platforms = [
        *(f"manylinux_2_{minor}_{machine}" for minor in range(_GLIBC, 4, -1)),
        *(f"manylinux{year}_{machine}" for year in (2014, 2010, 1)),
    ]
    version = (3, python)
    return {
        *cpython_tags(version, [f"cp3{python}"], platforms),
        *compatible_tags(version, f"cp3{python}", platforms),
    }


def _installed(environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    """What a run and the image install besides the project itself."""

    def holds(marker: str | None) -> bool:
        return marker is None or Marker(marker).evaluate(environment)

    def found(dependency: dict[str, Any]) -> dict[str, Any]:
        (package,) = (
            package
            for package in _LOCK["package"]
            if package["name"] == dependency["name"]
            and package["version"] == dependency.get("version", package["version"])
        )
        return dict(package)

    seen: set[tuple[str, str, str | None]] = set()
    waiting = [{"name": _PROJECT, "extra": ["celery"]}]
    while waiting:
        dependency = waiting.pop()
        package = found(dependency)
        for extra in (None, *dependency.get("extra", ())):
            if (place := (package["name"], package["version"], extra)) in seen:
                continue
            seen.add(place)
            wanted = (
                package.get("dependencies", [])
                if extra is None
                else package["optional-dependencies"].get(extra, [])
            )
            waiting += [one for one in wanted if holds(one.get("marker"))]
            if extra is None and package["name"] != _PROJECT:
                yield package


def test_make_asks_for_the_pythons_that_the_lock_is_for() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    assert _PYTHONS[0] == 11
    assert f"(3, {_PYTHONS[0]}) <= sys.version_info < (3, {_PYTHONS[-1] + 1})" in makefile
    assert f"Python 3.{_PYTHONS[0]} to 3.{_PYTHONS[-1]} is needed" in makefile


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("python", _PYTHONS)
def test_every_package_has_a_wheel(python: int, machine: str) -> None:
    tags = _tags(python, machine)
    packages = list(_installed(_environment(python, machine)))
    assert {"apache-airflow", "dbt-core", "great-expectations", "pgpq", "celery"} <= {
        package["name"] for package in packages
    }
    without = [
        f"{package['name']} {package['version']}"
        for package in packages
        if not any(
            parse_wheel_filename(wheel["url"].rsplit("/", 1)[1])[3] & tags
            for wheel in package.get("wheels", [])
        )
    ]
    assert without == []
