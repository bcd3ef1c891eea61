"""The command `mobility`. Every command imports what it needs when it runs, so that help is instant."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Engine

    from mobility_warehouse.settings import Settings
    from mobility_warehouse.sources.declaration import Source

P = ParamSpec("P")
R = TypeVar("R")

LIVE = click.option(
    "--live",
    is_flag=True,
    envvar="MOBILITY_LIVE",
    help="Pull from the real sources instead of the replay server. LimeSurvey then needs the connection "
    "AIRFLOW_CONN_MOBILITY_LIMESURVEY. Also set by MOBILITY_LIVE=1.",
)


def _settings() -> Settings:
    from mobility_warehouse.settings import Settings

    return Settings.from_environment()


def _console() -> Console:
    from rich.console import Console

    # A log or a pipe has no width of its own: tables are not to be cut there.
    return Console(width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "160")))


def _engine(role: str | None = None) -> Engine:
    """The warehouse, started if need be. To act as a role needs a deployed one, which is looked at first."""
    from mobility_warehouse.database.engine import require_deployed, warehouse_engine, warehouse_url

    url = warehouse_url()
    if role is not None:
        require_deployed(url)
    return warehouse_engine(role, url)


def _expected_errors() -> tuple[type[BaseException], ...]:
    """Errors that say by themselves what is wrong and what to do; anything else keeps its traceback."""
    import httpx
    from sqlalchemy.exc import ArgumentError, OperationalError

    from mobility_warehouse.airflow_api import AirflowError
    from mobility_warehouse.database.deploy import DeployRefused
    from mobility_warehouse.database.embedded import EmbeddedPostgresError
    from mobility_warehouse.database.engine import NotDeployed
    from mobility_warehouse.demo import DemoFailed
    from mobility_warehouse.landing.report import PullBusy, PullError
    from mobility_warehouse.publication.as_of import AsOfError
    from mobility_warehouse.publication.package import PackageRefused
    from mobility_warehouse.publication.publish import PublicationRefused
    from mobility_warehouse.publication.retire import RetirementRefused
    from mobility_warehouse.publication.trace import TraceError
    from mobility_warehouse.quality.feedback import FeedbackError
    from mobility_warehouse.quality.results import GateFailed
    from mobility_warehouse.quality.review import ReviewError
    from mobility_warehouse.services import ServiceError
    from mobility_warehouse.settings import SettingsError
    from mobility_warehouse.transform import TransformFailed

    return (
        AirflowError,
        ArgumentError,
        AsOfError,
        DemoFailed,
        DeployRefused,
        EmbeddedPostgresError,
        FeedbackError,
        GateFailed,
        NotDeployed,
        OperationalError,
        PackageRefused,
        PublicationRefused,
        PullBusy,
        PullError,
        RetirementRefused,
        ReviewError,
        ServiceError,
        SettingsError,
        TraceError,
        TransformFailed,
        httpx.TransportError,
    )


def clear_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Print an expected error as one message and exit with 1."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            if isinstance(error, _expected_errors()):
                raise click.ClickException(str(error)) from error
            raise

    return guarded


def _print_rows(
    columns: Sequence[str], rows: Sequence[Sequence[object]], style: str, *, wide: bool = False
) -> None:
    """Print a result as a table, CSV (null is empty) or JSON (a list of objects).

    Documents and arrays are JSON in each.
    """
    if style == "json":
        import json

        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        click.echo(json.dumps(objects, default=str, ensure_ascii=False, indent=2))
    elif style == "csv":
        import csv

        from mobility_warehouse.run import json_text

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow(
                json_text(value) if isinstance(value, dict | list | tuple) else value for value in row
            )
    else:
        from rich.table import Table
        from rich.text import Text

        from mobility_warehouse.run import shown

        console, table = _console(), Table()
        for number, column in enumerate(columns):
            values = [row[number] for row in rows]
            numeric = any(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
            table.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(shown(value)) for value in row))
        if wide:
            console.width = max(
                console.width, console.measure(table, options=console.options.update(width=100_000)).maximum
            )
        console.print(table)


FORMAT = click.option(
    "--format",
    "style",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to print the result.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mobility-warehouse")
def main() -> None:
    """Data warehouse on the international mobility of health workers.

    State lies in .mobility of the repository (or MOBILITY_HOME). The database is an embedded PostgreSQL 18,
    or your own: MOBILITY_DATABASE_URL. Commands that need it start it.

    Exit codes: 0 done, 1 failed, 2 wrong usage.
    """


# -- services ------------------------------------------------------------------------------------------


@main.command()
@LIVE
@clear_errors
def up(live: bool) -> None:
    """Start Airflow, the database and the replay server in the background.

    They listen on 127.0.0.1 only, at free ports that are kept from start to start.
    """
    from mobility_warehouse.services import Services

    console, services = _console(), Services(_settings())
    with console.status("starting") as status:
        services.start(live=live, report=status.update)
        status.update("deploying the schema")
        _deploy()
        _parse_models()
    _print_status(services)


@main.command()
@clear_errors
def down() -> None:
    """Stop what runs in the background. Nothing is lost."""
    from mobility_warehouse.services import Services

    stopped = Services(_settings()).stop()
    click.echo(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


@main.command()
@clear_errors
def status() -> None:
    """Show what runs, where, and where its passwords are. Starts nothing; exits 1 if something is down."""
    from mobility_warehouse.services import Services

    services = Services(_settings())
    _print_status(services)
    if not all(service.running for service in services.status()):
        raise click.exceptions.Exit(1)


def _print_status(services: Any) -> None:
    rows = [(s.name, "up" if s.running else "down", s.where, s.detail) for s in services.status()]
    _print_rows(("service", "state", "where", "detail"), rows, "table")


def _deploy() -> Any:
    from mobility_warehouse.database.deploy import deploy as deploy_schema
    from mobility_warehouse.sources.registry import sources

    return deploy_schema(_engine(), sources().values())


def _parse_models() -> None:
    """Make the manifest that the DAG with a task for each model is drawn from."""
    from mobility_warehouse.transform import manifest_path, parse

    if not manifest_path(_settings()).exists():
        parse(_settings())


@main.command()
@clear_errors
def deploy() -> None:
    """Bring the database's schemas, tables, roles and grants to what the code declares.

    Parses the dbt project too, for the DAG with a task for each model. Idempotent. `up` and `run` do it by
    themselves; with a database of your own, run it after each upgrade.
    """
    from mobility_warehouse.transform import parse

    report = _deploy()
    parse(_settings())
    changes = [*(f"created {name}" for name in report.created)]
    changes += [f"added {name}" for name in report.added_columns]
    click.echo("\n".join(changes) or "nothing to change")


@main.command()
def pools() -> None:
    """Print the Airflow pools, one per host of a source, as JSON for `airflow pools import`."""
    import json

    from mobility_warehouse.sources.registry import sources

    declared = {
        source.pool: {"slots": source.pool_slots, "description": source.title, "include_deferred": False}
        for source in sources().values()
    }
    click.echo(json.dumps(declared, indent=2))


# -- the main job --------------------------------------------------------------------------------------


@main.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@LIVE
@clear_errors
def run(names: tuple[str, ...], live: bool) -> None:
    """Pull every source, or those named, land, audit, transform and publish, through Airflow.

    Starts what is needed, shows each stage, sums up and leaves the services running. Exits 0 only if a
    publication was made and every source asked for was pulled.
    """
    from mobility_warehouse.run import print_report
    from mobility_warehouse.run import run as run_main_job
    from mobility_warehouse.sources.registry import sources
    from mobility_warehouse.tasks import source_named

    try:
        pulled = [source_named(name) for name in dict.fromkeys(names)] or [*sources().values()]
    except KeyError as error:
        raise click.BadParameter(error.args[0], param_hint="SOURCE") from error
    settings, console = _settings(), _console()
    report = run_main_job(settings, console, pulled=pulled, live=live)
    print_report(report, settings, console)
    if report.publication is None or report.failures:
        raise click.exceptions.Exit(1)


def _require_publication(engine: Engine) -> datetime:
    """Moment of raw that the last publication was built on; an error that says what to do where none is."""
    from sqlalchemy import text

    with engine.connect() as connection:
        query = text("select max(as_of) from quality.publication")
        moment: datetime | None = connection.execute(query).scalar_one()
    if moment is None:
        raise click.ClickException("nothing was published yet; `mobility run` first")
    return moment


@main.command()
@clear_errors
def docs() -> None:
    """Generate dbt's documentation of the models as one page, from the last publication's moment."""
    from mobility_warehouse.database.engine import warehouse_url
    from mobility_warehouse.transform import docs as generate

    moment = _require_publication(_engine("publisher"))
    click.echo(str(generate(warehouse_url(), moment, _settings())))


@main.command()
@clear_errors
def demo() -> None:
    """Publish the snapshot's first vintage, then its second, and show what changed.

    In a database of its own, made anew each time; your warehouse is not touched.
    """
    from mobility_warehouse.demo import run_demo

    run_demo(_settings(), _console())


# -- looking -------------------------------------------------------------------------------------------


# A query may begin with a comment, which looks like an option.
@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("query")
@FORMAT
@clear_errors
def sql(query: str, style: str) -> None:
    """Run QUERY on the warehouse, as the role analyst, read-only.

    \b
    mobility sql "select * from marts.workforce_density limit 5"
    mobility sql --format csv "select * from marts.remittances" > remittances.csv
    """
    import psycopg

    with _analyst_connection() as connection:
        try:
            cursor = connection.execute(query.encode())
            rows = cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise click.ClickException(str(error).strip()) from error
        columns = [column.name for column in cursor.description or ()]
    if columns:
        _print_rows(columns, rows, style)
    elif style == "table":
        click.echo(cursor.statusmessage)


def _analyst_connection() -> Any:
    """A read-only connection that cannot become anyone else than the analyst.

    On the embedded server it logs in as analyst. On an own database the login user assumes the role.
    """
    import psycopg

    from mobility_warehouse.database.engine import require_deployed

    settings = _settings()
    require_deployed()
    options = "-c default_transaction_read_only=on"
    if settings.database_url is None:
        from mobility_warehouse.database.embedded import EmbeddedPostgres

        return psycopg.connect(EmbeddedPostgres(settings.home).start().url("analyst"), options=options)
    url = settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    return psycopg.connect(url, options=f"{options} -c role=analyst")


@main.command()
@FORMAT
@clear_errors
def inbox(style: str) -> None:
    """List files that were dropped into the inbox: whole, waiting, landed or refused, with why.

    Makes the folders, one for each source that comes as files, where they are not there yet.
    """
    from mobility_warehouse.landing.inbox import inbox_files
    from mobility_warehouse.settings import INBOX
    from mobility_warehouse.sources.registry import sources

    settings = _settings()
    folders = [
        settings.inbox_dir / source.default_base_url.removeprefix(INBOX)
        for source in sources().values()
        if source.default_base_url is not None and source.default_base_url.startswith(INBOX)
    ]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    files = inbox_files(_engine("ingest"), sources().values(), settings)
    if files or style != "table":
        columns = ("source", "file", "bytes", "modified", "state", "slice", "fetch", "why")
        _print_rows(
            columns,
            [
                (
                    file.source,
                    file.name,
                    file.size,
                    _minute(file.modified),
                    file.state,
                    file.slice,
                    file.fetch_id,
                    file.why,
                )
                for file in files
            ],
            style,
        )
    else:
        click.echo(f"no file lies in {settings.inbox_dir}: {', '.join(folder.name for folder in folders)}")


#: Told by csv and json alone: a terminal has no room for them.
_WIDE_OF_SOURCES = frozenset({"publisher", "cadence", "resources", "last change"})


@main.command("sources")
@FORMAT
@clear_errors
def show_sources(style: str) -> None:
    """List the sources: licence, cadence; what is landed of each, how fresh, how complete, real or synthetic.

    ``current`` counts the slices whose last pull succeeded, of ``slices`` declared; a file that was dropped
    counts as a slice. ``records`` are those of each slice's last successful pull. csv and json tell
    publisher, cadence, resources and the last change, too.
    """
    from sqlalchemy import text

    from mobility_warehouse.sources.registry import sources

    with _engine().connect() as connection:
        known: Mapping[str, Any] = {}
        scorecard = "quality.source_scorecard"
        known_relation = text("select to_regclass(:name) is not null")
        deployed: bool = connection.execute(known_relation, {"name": scorecard}).scalar_one()
        if deployed:
            known = {row.source: row for row in connection.execute(text(f"select * from {scorecard}"))}
    columns = (
        *("source", "title", "publisher", "licence", "cadence", "resources", "slices", "current", "records"),
        *("figures", "last pull", "last change", "days ago", "quarantined share", "stale keys"),
    )
    rows = []
    for source in sources().values():
        card = known.get(source.name)
        described = (
            source.name,
            source.title,
            source.publisher,
            source.licence,
            source.cadence,
            ", ".join(resource.name for resource in source.resources),
            len(source.slices()),
        )
        landed = (
            (0, 0, "synthetic" if source.synthetic else "", "never", "", None, None, 0)
            if card is None
            else (
                card.slices_current,
                card.records_read,
                card.figures,
                _minute(card.last_pull_at) or "never",
                _minute(card.last_change_at),
                card.days_since_pull,
                card.quarantined_share,
                card.stale_keys,
            )
        )
        rows.append((*described, *landed))
    shown = [name for name in columns if style != "table" or name not in _WIDE_OF_SOURCES]
    places = [columns.index(name) for name in shown]
    _print_rows(shown, [tuple(row[place] for place in places) for row in rows], style)


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M %Z}" if moment else ""


@main.command()
@click.option("--source", help="Only fetches of this source.")
@click.option("--outcome", type=click.Choice(["running", "loaded", "unchanged", "refused", "failed"]))
@click.option(
    "--limit", type=click.IntRange(1), default=30, show_default=True, help="How many, newest first."
)
@click.option("--wide", is_flag=True, help="One table with all counts, however wide.")
@FORMAT
@clear_errors
def fetches(source: str | None, outcome: str | None, limit: int, wide: bool, style: str) -> None:
    """List pulls, newest first: what was asked, what came, what it changed.

    A table that fits the terminal, with the messages of refused and failed pulls below it; --wide, csv and
    json give every count.
    """
    from sqlalchemy import text

    query = """
        select
            fetch_id, source, resource, slice, outcome, read, inserted, revised, unchanged, noise,
            duplicate + superseded as duplicate, absent, quarantined, withdrawn,
            to_char(started_at, 'YYYY-MM-DD HH24:MI:SS') as started, message
        from raw.fetch
        where source = coalesce(:source, source) and outcome = coalesce(:outcome, outcome)
        order by fetch_id desc
        limit :limit
    """
    with _engine("publisher").connect() as connection:
        result = connection.execute(text(query), {"source": source, "outcome": outcome, "limit": limit})
        columns, rows = list(result.keys()), [tuple(row) for row in result]
    if style != "table":
        _print_rows(columns, rows, style)
    elif wide:
        _print_rows(columns, rows, style, wide=True)
    else:
        _print_folded(columns, rows)


def _print_folded(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Fetches without the counts that are nought in all of them, their messages below."""
    fetch_id, message = columns.index("fetch_id"), columns.index("message")
    kept = [
        number
        for number in range(len(columns))
        if number != message and (number <= columns.index("read") or any(row[number] for row in rows))
    ]
    _print_rows(
        [columns[number] for number in kept], [[row[number] for number in kept] for row in rows], "table"
    )
    for row in rows:
        if row[message]:
            click.echo(f"{row[fetch_id]}: {row[message]}")


# -- what needs a person -------------------------------------------------------------------------------


@main.group()
def quarantine() -> None:
    """Records that were rejected: list them, show one, replay after a fix."""


@quarantine.command("list")
@click.option("--source", help="Only records of this source.")
@click.option("--all", "everything", is_flag=True, help="Also records that are settled.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@FORMAT
@clear_errors
def list_quarantine(source: str | None, everything: bool, limit: int, style: str) -> None:
    """List rejected records, newest first."""
    from mobility_warehouse.landing.quarantine import find

    found = find(_engine("ingest"), source=source, status=None if everything else "open", limit=limit)
    columns = ("id", "fetch", "source", "resource", "slice", "record", "field", "reason", "message", "status")
    rows = [
        (
            record.quarantine_id,
            record.fetch_id,
            record.source,
            record.resource,
            record.slice,
            record.record_no,
            record.field,
            record.reason,
            record.message,
            record.status,
        )
        for record in found
    ]
    if rows or style != "table":
        _print_rows(columns, rows, style)
    else:
        click.echo("no record is in quarantine")


@quarantine.command("show")
@click.argument("quarantine_id", type=int)
@clear_errors
def show_quarantined(quarantine_id: int) -> None:
    """Show a rejected record with its bytes as received."""
    from mobility_warehouse.landing.quarantine import find

    found = find(_engine("ingest"), quarantine_id=quarantine_id)
    if not found:
        raise click.ClickException(f"there is no quarantined record {quarantine_id}")
    record = found[0]
    click.echo(f"{record.source} {record.resource} {record.slice}, record {record.record_no} of its answer")
    click.echo(f"fetch {record.fetch_id}, {_minute(record.quarantined_at)}, {record.status}")
    click.echo(f"{record.reason}: {record.message}")
    if record.record is None:
        click.echo("its bytes may hold personal data and are readable by the role secretariat alone")
    else:
        click.echo(record.record.decode("utf-8", errors="replace"))


@quarantine.command("replay")
@click.argument("fetch_id", type=int)
@clear_errors
def replay_quarantine(fetch_id: int) -> None:
    """Read the archived answers of FETCH_ID again, after a fix of declaration or reader."""
    from mobility_warehouse.landing.pull import replay

    engine = _engine("ingest")
    source = _source_of_fetch(engine, fetch_id)
    reader = _archive_reader(source)
    _print_fetch(_value_error_is_final(lambda: replay(engine, source, fetch_id, archive_reader=reader)))


@main.command()
@click.argument("fetch_id", type=int)
@click.option("--by", "person", required=True, help="Who accepts it; kept in the log of fetches.")
@clear_errors
def accept(fetch_id: int, person: str) -> None:
    """Land a pull that was refused as a whole, because a person looked and finds it right.

    A pull is refused when more of it is rejected, or more of the current figures would be withdrawn, than
    the source's declaration allows. `mobility fetches --outcome refused` lists them.
    """
    from mobility_warehouse.landing.pull import accept as accept_fetch

    engine = _engine("ingest")
    source = _source_of_fetch(engine, fetch_id)
    reader = _archive_reader(source)
    _print_fetch(
        _value_error_is_final(
            lambda: accept_fetch(engine, source, fetch_id, accepted_by=person, archive_reader=reader)
        )
    )


@main.command()
@click.argument("mart")
@click.option("--by", "person", required=True, help="Who decided it; kept in quality.retired_mart.")
@click.option("--why", "reason", required=True, help="Why; kept beside it.")
@clear_errors
def retire(mart: str, person: str, reason: str) -> None:
    """Drop MART, which the project no longer builds, once no reader needs it.

    A table that BI tools read does not vanish by itself: a publication without it is refused until the model
    is restored or the mart retired. It stays while a view or key of a reader rests on it.
    """
    from mobility_warehouse.publication.retire import retire as retire_mart

    done = retire_mart(_engine("publisher"), mart, retired_by=person, reason=reason)
    click.echo(f"retired marts.{done.mart}, which held {done.rows:,} rows")


def _archive_reader(source: Source) -> Engine | None:
    """Answers with personal data are read as the Secretariat, whose role not every login may assume."""
    personal = any(resource.personal_data for resource in source.resources)
    return _engine("secretariat") if personal else None


def _value_error_is_final(action: Callable[[], R]) -> R:
    try:
        return action()
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _source_of_fetch(engine: Engine, fetch_id: int) -> Any:
    from sqlalchemy import text

    from mobility_warehouse.tasks import source_named

    with engine.connect() as connection:
        query = text("select source from raw.fetch where fetch_id = :fetch_id")
        name: str | None = connection.execute(query, {"fetch_id": fetch_id}).scalar_one_or_none()
    if name is None:
        raise click.ClickException(f"there is no fetch {fetch_id}; `mobility fetches` lists them")
    return source_named(name)


def _print_fetch(report: Any) -> None:
    from mobility_warehouse.sources.declaration import describe_counts
    from mobility_warehouse.tasks import COUNTS

    counts = {name: getattr(report, name) for name in COUNTS}
    click.echo(f"fetch {report.fetch_id} {report.outcome}: {describe_counts(counts, COUNTS)}")


@main.group()
def review() -> None:
    """Cases that are suspicious, not wrong: list them, show one, resolve it once somebody has looked."""


@review.command("list")
@click.option("--rule", help="Only cases of this rule.")
@click.option("--all", "everything", is_flag=True, help="Also cases that are resolved or gone.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@FORMAT
@clear_errors
def list_review(rule: str | None, everything: bool, limit: int, style: str) -> None:
    """List what no rule can decide, real figures before synthetic ones."""
    from mobility_warehouse.quality.review import find_cases

    found = find_cases(_engine("analyst"), rule=rule, status=None if everything else "open", limit=limit)
    columns = (
        "id",
        "rule",
        "case",
        "figure",
        "compared with",
        "unit",
        "reason",
        "ask",
        "synthetic",
        "status",
    )
    rows = [
        (
            case.review_id,
            case.rule,
            " ".join(str(case.row_key[column]) for column in sorted(case.row_key)),
            case.figure,
            case.compared_with,
            case.unit,
            case.reason,
            case.ask,
            case.is_synthetic,
            case.status,
        )
        for case in found
    ]
    if style != "table":
        _print_rows(columns, rows, style)
    elif rows:
        short = [columns.index(name) for name in ("id", "rule", "case", "reason", "synthetic", "status")]
        _print_rows([columns[at] for at in short], [[row[at] for at in short] for row in rows], style)
    else:
        click.echo("nothing is to be reviewed")


@review.command("show")
@click.argument("review_id", type=int)
@clear_errors
def show_review(review_id: int) -> None:
    """Show a case: both figures, why, whom to ask, and the pulls that they came from."""
    from sqlalchemy import text

    from mobility_warehouse.quality.review import ReviewError, find_cases

    engine = _engine("publisher")
    found = find_cases(engine, review_id=review_id, status=None)
    if not found:
        raise ReviewError(f"there is no case {review_id}")
    case = found[0]
    named = ", ".join(f"{column}={value}" for column, value in case.row_key.items())
    click.echo(f"{case.rule} on {case.asset}: {named}" + (" (synthetic)" if case.is_synthetic else ""))
    click.echo(f"{case.figure:,} against {case.compared_with:,} {case.unit}")
    click.echo(case.reason)
    click.echo(f"ask: {case.ask}")
    click.echo(f"seen from {_minute(case.first_seen)} to {_minute(case.last_seen)}, {case.status}")
    if case.resolved_by:
        click.echo(f"resolved by {case.resolved_by}, {_minute(case.resolved_at)}: {case.resolution}")
    query = "select * from raw.fetch where fetch_id = any(:ids) order by fetch_id"
    with engine.connect() as connection:
        for pull in connection.execute(text(query), {"ids": list(case.fetch_ids)}):
            click.echo(
                f"fetch {pull.fetch_id}, {_minute(pull.started_at)}: {pull.source} {pull.resource} {pull.url}"
            )


@review.command("resolve")
@click.argument("review_id", type=int)
@click.option("--by", "person", required=True, help="Who looked; kept with the case.")
@click.option("--why", "resolution", required=True, help="What was found; kept with the case.")
@clear_errors
def resolve_review(review_id: int, person: str, resolution: str) -> None:
    """Settle a case, as long as its figures stay as they are.

    The figures themselves are not touched: a wrong one is mended by whoever publishes it.
    """
    from mobility_warehouse.quality.review import resolve_case

    resolve_case(_engine("publisher"), review_id, resolved_by=person, resolution=resolution)
    click.echo(f"case {review_id} is resolved")


@main.command()
@click.argument("country", required=False, metavar="[ISO3]")
@click.option("--html", "page", type=click.Path(dir_okay=False, writable=True), help="Write the note here.")
@click.option("--all", "folder", type=click.Path(file_okay=False), help="Write every country's note here.")
@clear_errors
def feedback(country: str | None, page: str | None, folder: str | None) -> None:
    """Make the feedback note of a country: what it reported, what is missing, what disagrees, whom to ask.

    A printable HTML page, on standard output without --html. It names offices, never a person.

    \b
    mobility feedback IND --html IND.html
    mobility feedback --all notes
    """
    from pathlib import Path

    from mobility_warehouse.quality.feedback import country_feedback, member_states, render_feedback

    if (country is None) == (folder is None) or (folder is not None and page is not None):
        raise click.UsageError("give either a country, with --html if you like, or --all DIR")
    engine = _engine("analyst")
    _require_publication(engine)
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        codes = member_states(engine)
        for code in codes:
            note = render_feedback(country_feedback(engine, code))
            (Path(folder) / f"{code}.html").write_text(note, encoding="utf-8")
        click.echo(f"{len(codes)} notes in {folder}")
        return
    assert country is not None
    note = render_feedback(country_feedback(engine, country.upper()))
    if page is None:
        click.echo(note)
    else:
        Path(page).write_text(note, encoding="utf-8")
        click.echo(page)


# -- the past and the origin ---------------------------------------------------------------------------


class Moment(click.ParamType[date | datetime]):
    """A date, or a time with its zone."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date | datetime:
        """The date or time written in ISO 8601."""
        parse = date.fromisoformat if len(value) <= 10 else datetime.fromisoformat
        try:
            return parse(value)
        except ValueError:
            self.fail(
                f"{value!r} is neither a date (2025-01-15) nor a time (2025-01-15T12:00+00:00)", param, ctx
            )


@main.command()
@click.option("--publication", type=int, help="Its number; by default the last.")
@click.option("--to", "folder", type=click.Path(file_okay=False), help="Folder to write it into.")
@clear_errors
def package(publication: int | None, folder: str | None) -> None:
    """Write a publication to pass on: CSV and Parquet files of every mart, and datapackage.json.

    Licences, attribution and what is synthetic stand in datapackage.json, a Data Package of version 2.
    Rows that rest on what may not be passed on are left out. Without --to it goes into the folder packages
    of the home, where the last five are kept.
    """
    from pathlib import Path

    from mobility_warehouse.publication.package import make_package, packages_dir, prune_packages

    engine, home = _engine("publisher"), packages_dir(_settings().home)
    with _console().status("writing the package"):
        made = make_package(engine, Path(folder) if folder else home, publication)
    for old in prune_packages(home):
        click.echo(f"removed {old}")
    click.echo(
        f"publication {made.publication_id}: {made.files} files, {made.bytes / 1e6:,.1f} MB in {made.path}"
        + (" (it stood already)" if made.repeated else "")
    )


@main.command("as-of")
@click.argument("moment", type=Moment(), metavar="DATE")
@clear_errors
def as_of(moment: date | datetime) -> None:
    """Rebuild all marts as they follow from what was landed at DATE, beside the current ones.

    DATE is a day, meant as its end in UTC, or a time with its zone such as 2025-01-15T12:00+00:00. The marts
    go into a schema of their own, which is named at the end and readable like the marts.
    """
    from mobility_warehouse.publication.as_of import build_as_of

    engine = _engine("transform")
    with _console().status(f"rebuilding the marts as of {moment.isoformat()}"):
        built = _value_error_is_final(lambda: build_as_of(engine, moment))
    click.echo(f"marts as of {built.moment.isoformat()}:")
    for mart in built.marts:
        click.echo(f"  {built.marts_schema}.{mart}")


class PublicationOrMoment(click.ParamType[date | datetime | int]):
    """The number of a publication, or the day or time at which it stood."""

    name = "publication"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date | datetime | int:
        """A number, or the date or time written in ISO 8601."""
        return int(value) if value.isdecimal() and len(value) < 8 else Moment().convert(value, param, ctx)


@main.command("what-changed")
@click.argument("first", type=PublicationOrMoment(), metavar="[FROM]", required=False)
@click.argument("last", type=PublicationOrMoment(), metavar="[TO]", required=False)
@click.option("--mart", help="Only changes of this mart.")
@click.option("--source", help="Only changes of rows that rest on this source.")
@click.option("--rows", is_flag=True, help="Each row that changed, not their number.")
@FORMAT
@clear_errors
def show_changes(
    first: date | datetime | int | None,
    last: date | datetime | int | None,
    mart: str | None,
    source: str | None,
    rows: bool,
    style: str,
) -> None:
    """Show which figures were added, revised or withdrawn from one publication to a later one.

    FROM and TO are numbers of publications, or a day (its end, in UTC) or time at which they stood; without
    them the last two are compared. `caused by` names the sources whose pulls brought the change; it is empty
    where a reviewed table or the computation changed.

    \b
    mobility what-changed
    mobility what-changed 2 5 --mart remittances --rows --format csv
    mobility what-changed 2025-01-15 2025-06-30 --source world_bank
    """
    from collections import Counter

    from mobility_warehouse.publication.as_of import moment_of
    from mobility_warehouse.publication.changes import publication_at, what_changed

    engine = _engine("analyst")
    _require_publication(engine)

    def publication(asked: date | datetime | int | None) -> int | None:
        if asked is None or isinstance(asked, int):
            return asked
        return publication_at(engine, moment_of(engine, asked))

    found = [
        change
        for change in _value_error_is_final(
            lambda: what_changed(engine, publication(first), publication(last))
        )
        if mart in (None, change.mart) and (source is None or source in change.sources)
    ]
    if not found and style == "table":
        click.echo("nothing changed")
    elif rows:
        columns = (
            "mart",
            "change",
            "key",
            "caused by",
            "figure",
            "old value",
            "new value",
            "columns",
            "synthetic",
        )
        listed = [
            (
                change.mart,
                change.change,
                dict(change.key),
                ", ".join(change.caused_by),
                change.figure or "",
                change.old_value,
                change.new_value,
                ", ".join(name for name in change.columns if name != "fetch_ids"),
                change.is_synthetic,
            )
            for change in found
        ]
        _print_rows(columns, listed, style)
    else:
        kinds = ("added", "revised", "withdrawn")
        counted: dict[tuple[str, str, str, bool], Counter[str]] = {}
        for each in found:
            group = (each.mart, each.indicator or "", ", ".join(each.caused_by), each.is_synthetic)
            counted.setdefault(group, Counter())[each.change] += 1
        _print_rows(
            ("mart", "indicator", "caused by", "synthetic", *kinds),
            [(*group, *(counts[kind] for kind in kinds)) for group, counts in sorted(counted.items())],
            style,
        )


@main.command()
@click.argument("mart")
@click.argument("key", nargs=-1, required=True)
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--bytes", "body", type=click.File("wb"), help="Write the first record's whole answer to this file."
)
@click.option(
    "--record-bytes", "own", type=click.File("wb"), help="Write the first record as it came to this file."
)
@click.option("--restricted", is_flag=True, help="Read answers with personal data, as the Secretariat.")
@clear_errors
def trace(mart: str, key: Sequence[str], style: str, body: Any, own: Any, restricted: bool) -> None:
    """Show where a row of MART comes from: URL, time, sha256, source records.

    KEY names the row by its primary key, as COLUMN=VALUE each, or as one JSON object.

    \b
    mobility trace remittances country_iso3=PHL year=2022 measure=received_usd
    """
    from mobility_warehouse.publication.trace import archived_body, record_bytes
    from mobility_warehouse.publication.trace import trace as trace_row

    wanted = _parse_key(key)
    engine = _engine("analyst")
    _require_publication(engine)
    found = trace_row(engine, mart, wanted)
    if style == "json":
        import dataclasses
        import json

        click.echo(json.dumps(dataclasses.asdict(found), default=str, ensure_ascii=False, indent=2))
    else:
        _print_trace(found)
    if body is None and own is None:
        return
    first = found.records[0]
    if first.restricted and not restricted:
        raise click.UsageError(
            "the answer holds personal data; add --restricted to read it as the Secretariat"
        )
    archive = _engine("secretariat" if first.restricted else "ingest")
    if body is not None:
        body.write(archived_body(archive, first))
    if own is not None:
        own.write(record_bytes(archive, first))


def _parse_key(parts: Sequence[str]) -> dict[str, Any]:
    import json

    if len(parts) == 1 and parts[0].lstrip().startswith("{"):
        try:
            parsed: dict[str, Any] = json.loads(parts[0])
        except json.JSONDecodeError as error:
            raise click.UsageError(f"KEY is not valid JSON: {error}") from None
        return parsed
    pairs = [part.partition("=") for part in parts]
    if any(not separator for _, separator, _ in pairs):
        raise click.UsageError("KEY must be COLUMN=VALUE, once for each column of the primary key, or JSON")
    return {column: value for column, _, value in pairs}


def _print_trace(found: Any) -> None:
    click.echo(f"marts.{found.mart}, publication {found.publication_id} of {_minute(found.published_at)}")
    for column, value in found.row.items():
        click.echo(f"  {column}: {value}")
    for record in found.records:
        position = "the answer as a whole" if record.record_no is None else f"record {record.record_no}"
        click.echo(f"\n{record.source} {record.resource} {record.slice}, fetch {record.fetch_id}, {position}")
        click.echo(f"  {record.url}")
        click.echo(f"  asked {record.requested_at.isoformat()}, status {record.status}")
        click.echo(f"  sha256 {record.sha256}" + (" (restricted)" if record.restricted else ""))
        for column, value in (record.record or {}).items():
            click.echo(f"    {column}: {value}")


if __name__ == "__main__":
    main()
