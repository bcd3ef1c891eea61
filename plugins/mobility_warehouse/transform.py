"""Builds the warehouse with dbt: seeds, staging, intermediate models and the candidate marts in ``audit``.

dbt runs in a process of its own: it is not safe for threads, keeps global state, and takes its connection
from the environment, where the password would otherwise outlive the build.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import URL

from mobility_warehouse.seeds import SeedRefused, copy_seeds, seeds_of
from mobility_warehouse.settings import Settings

if TYPE_CHECKING:
    from mobility_warehouse.sources.declaration import Source

SOURCE_CATALOGUE = Path("seeds", "reference", "source_catalogue.csv")

_FAILED = frozenset({"error", "fail", "runtime error"})


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of one model, seed or test; ``seconds`` is its own time, ``rows`` those a table got."""

    unique_id: str
    status: str
    seconds: float
    rows: int | None = None
    failures: int | None = None
    message: str = ""

    @property
    def kind(self) -> str:
        """model, seed, test or unit_test."""
        return self.unique_id.split(".", 1)[0]

    @property
    def name(self) -> str:
        """The name within the project."""
        return self.unique_id.split(".")[2]


@dataclass(frozen=True, slots=True)
class DbtResult:
    """What a dbt command did. ``seconds`` is wall time with dbt's own start."""

    command: str
    seconds: float
    nodes: Sequence[NodeResult] = field(default=())

    @property
    def failed(self) -> Sequence[NodeResult]:
        """Nodes that ended in an error or a failed test."""
        return [node for node in self.nodes if node.status in _FAILED]

    @property
    def warned(self) -> Sequence[NodeResult]:
        """Tests of severity warn that found rows."""
        return [node for node in self.nodes if node.status == "warn"]

    @property
    def slowest(self) -> Sequence[NodeResult]:
        """Nodes by their own time, longest first."""
        return sorted(self.nodes, key=lambda node: -node.seconds)


class TransformFailed(Exception):
    """dbt did not build the project; the message names each model or test and what it said."""

    def __init__(self, message: str, result: DbtResult) -> None:
        super().__init__(message)
        self.result = result


def build(
    url: URL,
    as_of: datetime,
    *,
    schema_prefix: str = "",
    run_id: str,
    select: str | None = None,
    all_tests: bool = False,
    with_seeds: bool = True,
    threads: int = 4,
    settings: Settings | None = None,
) -> DbtResult:
    """Build seeds, models and their tests on the versions of raw that were current at ``as_of``.

    With ``schema_prefix`` the models alone are built, into schemas of that prefix, beside the current ones;
    without ``with_seeds`` the seeds are as ``load_seeds`` left them, and the manifest too.
    ``select`` is dbt's own selection, of seeds as well. ``all_tests`` adds the tests that only a change of
    the project can fail: of the formulas on made-up rows, and of the seeds.
    Raises TransformFailed, and leaves what was built before the failure; ValueError for an ``as_of``
    without time zone.
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone: raw is read at an instant, not at a wall clock's time")
    arguments = ["build", "--threads", str(threads)]
    copied = with_seeds and not (schema_prefix or select)
    if schema_prefix:
        arguments += ["--resource-type", "model"]
    else:
        left_out = [] if all_tests else ["resource_type:unit_test", "tag:seed"]
        left_out += ["resource_type:seed"] if copied or not with_seeds else []
        arguments += ["--exclude", *left_out] if left_out else []
    if select:
        # A test that also reads what the selection does not build would judge another state, or none.
        arguments += ["--select", *select.split(), "--indirect-selection", "buildable"]
    variables = {"as_of": as_of.isoformat(), "run_id": run_id, "schema_prefix": schema_prefix}
    options = _Options(variables, copy_seeds=copied, write_manifest=with_seeds or bool(schema_prefix))
    return _dbt(arguments, options, connection_environment(url), settings or Settings.from_environment())


def load_seeds(url: URL, settings: Settings | None = None) -> float:
    """Parse the project and load its seeds: what of a build does not read raw; seconds that it took.

    Raises TransformFailed.
    """
    options = _Options({"schema_prefix": ""}, copy_seeds=True)
    settings = settings or Settings.from_environment()
    return _dbt(["parse"], options, connection_environment(url), settings).seconds


def parse(settings: Settings | None = None) -> Path:
    """Parse the project, without a database, and give the manifest's path. Raises TransformFailed."""
    settings = settings or Settings.from_environment()
    _dbt(["parse"], _Options({"schema_prefix": ""}), {}, settings)
    return manifest_path(settings)


def manifest_path(settings: Settings | None = None) -> Path:
    """Where ``parse`` and ``build`` leave the manifest of the current schemas, whether it is there or not."""
    return target_dir(settings or Settings.from_environment()) / "manifest.json"


def build_results(run_id: str, settings: Settings | None = None) -> Sequence[NodeResult]:
    """What became of every node of the run's build; none where the last command here was not that build."""
    path = target_dir(settings or Settings.from_environment()) / "run_results.json"
    if not path.exists():
        return []
    invoked = json.loads(path.read_text(encoding="utf-8"))["args"]
    is_this = invoked.get("which") == "build" and invoked.get("vars", {}).get("run_id") == run_id
    return _read_results(path) if is_this else []


def adopt_results(target: Path, settings: Settings | None = None) -> Sequence[NodeResult]:
    """Take over what a dbt command that ran elsewhere left in its ``target``, as ``build_results`` gives it.

    Raises FileNotFoundError where it left nothing.
    """
    settings = settings or Settings.from_environment()
    here = target_dir(settings)
    here.mkdir(parents=True, exist_ok=True)
    adopted = Path(shutil.copy(target / "run_results.json", here))
    return _read_results(adopted)


def target_dir(settings: Settings, schema_prefix: str = "") -> Path:
    """Where dbt writes: one folder a prefix, so that each keeps a parsed project of its own."""
    return settings.home / "dbt" / (schema_prefix.strip("_") or "current")


def docs(url: URL, as_of: datetime, settings: Settings | None = None) -> Path:
    """Generate dbt's documentation as one page, with the relations as they are built; gives its path."""
    settings = settings or Settings.from_environment()
    variables = {"as_of": as_of.isoformat(), "schema_prefix": ""}
    arguments = ["docs", "generate", "--static", "--no-compile"]
    _dbt(arguments, _Options(variables), connection_environment(url), settings)
    return target_dir(settings) / "static_index.html"


def connection_environment(url: URL) -> dict[str, str]:
    """The environment that profiles.yml reads; a socket's directory may stand in the URL's query."""
    socket = url.query.get("host")
    return {
        "MOBILITY_DBT_HOST": url.host or (socket if isinstance(socket, str) else "127.0.0.1"),
        "MOBILITY_DBT_PORT": str(url.port or 5432),
        "MOBILITY_DBT_USER": url.username or "transform",
        "MOBILITY_DBT_DATABASE": url.database or "warehouse",
        "DBT_ENV_SECRET_MOBILITY_PASSWORD": url.password or "",
    }


@dataclass(frozen=True, slots=True)
class _Options:
    """What the process of its own is told beside dbt's arguments."""

    variables: Mapping[str, str]
    copy_seeds: bool = False
    write_manifest: bool = True

    @property
    def schema_prefix(self) -> str:
        return self.variables.get("schema_prefix", "")


def _dbt(
    arguments: Sequence[str], options: _Options, connection: Mapping[str, str], settings: Settings
) -> DbtResult:
    target = target_dir(settings, options.schema_prefix)
    target.mkdir(parents=True, exist_ok=True)
    run_results = target / "run_results.json"
    run_results.unlink(missing_ok=True)
    environment = {
        # dbt looks through the whole environment for secrets at every line of its log; Airflow's is long.
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))},
        **connection,
        "DBT_PROJECT_DIR": str(settings.dbt_project_dir),
        "DBT_PROFILES_DIR": str(settings.dbt_project_dir),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target / "logs"),
        # What went wrong is taken from the results and the exception, the rest is in the file.
        "DBT_LOG_LEVEL": "none",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_USE_COLORS": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "mobility_warehouse.transform", "dbt", json.dumps(asdict(options))]
    started = time.monotonic()
    process = subprocess.run(
        [*command, *arguments],
        env=environment,
        cwd=target,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    result = DbtResult(" ".join(["dbt", *arguments]), seconds, _read_results(run_results))
    if process.returncode != 0:
        raise TransformFailed(_why(result, process.stdout), result)
    return result


def _read_results(path: Path) -> list[NodeResult]:
    if not path.exists():
        return []
    results: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["results"]
    return [
        NodeResult(
            unique_id=result["unique_id"],
            status=result["status"],
            seconds=float(result["execution_time"]),
            rows=_rows(result),
            failures=result.get("failures"),
            message=(result.get("message") or "").strip(),
        )
        for result in results
    ]


def _rows(result: Mapping[str, Any]) -> int | None:
    rows = (result.get("adapter_response") or {}).get("rows_affected")
    is_relation = result["unique_id"].startswith(("model.", "seed."))
    return int(rows) if is_relation and isinstance(rows, int) and rows >= 0 else None


def _why(result: DbtResult, output: str) -> str:
    if not result.failed:
        # dbt ended before it ran a node: the reason is in what it printed last.
        return f"{result.command}: {output.strip()[-2000:]}"
    reasons = [f"{node.kind} {node.name}: {node.message}" for node in result.failed]
    return f"{result.command}: {len(reasons)} failed\n" + "\n".join(reasons)


def _run_dbt(options: _Options, arguments: Sequence[str]) -> int:
    """In the process of its own: parse with the variables that shape the project, run with all of them.

    dbt drops the parsed project whenever any variable differs, and ``as_of`` differs on every run; only
    ``schema_prefix`` is read while parsing.
    """
    if options.copy_seeds or list(arguments) != ["parse"]:
        try:
            # Being told that nobody listens takes no time, and dbt's own start and parsing much.
            psycopg.connect(_connection_string(os.environ)).close()
        except psycopg.Error as error:
            sys.stdout.write(f"{error}\n")
            return 2
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    shaping = json.dumps({"schema_prefix": options.schema_prefix})
    written = [] if options.write_manifest else ["--no-write-json"]
    parsed = dbtRunner().invoke(["--quiet", *written, "parse", "--vars", shaping])
    if not parsed.success or not isinstance(parsed.result, Manifest):
        sys.stdout.write(f"{parsed.exception}\n")
        return 2
    if options.copy_seeds:
        try:
            with psycopg.connect(_connection_string(os.environ)) as connection:
                copy_seeds(connection, seeds_of(parsed.result))
        except (SeedRefused, psycopg.Error) as error:
            sys.stdout.write(f"{error}\n")
            return 2
    if list(arguments) == ["parse"]:
        return 0
    done = dbtRunner(manifest=parsed.result).invoke([*arguments, "--vars", json.dumps(options.variables)])
    if done.exception is not None:
        sys.stdout.write(f"{done.exception}\n")
    return 0 if done.success else 1


def _connection_string(environment: Mapping[str, str]) -> str:
    return psycopg.conninfo.make_conninfo(
        host=environment["MOBILITY_DBT_HOST"],
        port=environment["MOBILITY_DBT_PORT"],
        user=environment["MOBILITY_DBT_USER"],
        dbname=environment["MOBILITY_DBT_DATABASE"],
        password=environment["DBT_ENV_SECRET_MOBILITY_PASSWORD"],
        # As profiles.yml has it: whoever connects, the tables are the role's.
        options=f"-c role={environment.get('MOBILITY_DBT_ROLE', 'transform')}",
    )


_CATALOGUE_COLUMNS = (
    "source",
    "title",
    "publisher",
    "licence",
    "licence_url",
    "attribution",
    "cadence",
    "base_url",
    "is_synthetic",
    "is_modelled",
)


def source_catalogue(sources: Iterable[Source]) -> str:
    """The seed ``source_catalogue`` as CSV text: one row a source, sorted, from what the sources declare."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(_CATALOGUE_COLUMNS)
    for source in sorted(sources, key=lambda each: each.name):
        described = (source.name, source.title, source.publisher, source.licence, source.licence_url)
        reached = (source.attribution, source.cadence, source.default_base_url or "")
        flags = (str(source.synthetic).lower(), str(source.modelled).lower())
        writer.writerow((*described, *reached, *flags))
    return output.getvalue()


def main(arguments: Sequence[str]) -> int:
    """``dbt <_Options as JSON> <dbt arguments>``, or ``catalogue`` to write the seed of the sources."""
    if arguments[:1] == ["dbt"] and len(arguments) > 2:
        return _run_dbt(_Options(**json.loads(arguments[1])), arguments[2:])
    if list(arguments) == ["catalogue"]:
        from mobility_warehouse.sources.registry import sources

        path = Settings.from_environment().dbt_project_dir / SOURCE_CATALOGUE
        path.write_text(source_catalogue(sources().values()), encoding="utf-8")
        sys.stdout.write(f"{path}\n")
        return 0
    sys.stderr.write("usage: python -m mobility_warehouse.transform catalogue\n")
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
