"""Connections to the warehouse: one engine a role, on the operator's database or the embedded one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import psycopg
from sqlalchemy import URL, ClauseElement, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

ROLES = (
    "warehouse_owner",
    "ingest",
    "transform",
    "publisher",
    "analyst",
    "bi_reader",
    "secretariat",
)


class NotDeployed(Exception):
    """The database lacks tables that this version of the project works on; the message says what to do."""


def warehouse_url() -> URL:
    """URL of the warehouse: ``MOBILITY_DATABASE_URL``, else the embedded server, started when it is down.

    Raises sqlalchemy.exc.ArgumentError when the variable holds no URL.
    """
    configured = os.environ.get("MOBILITY_DATABASE_URL")
    if configured:
        return make_url(configured).set(drivername="postgresql+psycopg")
    from mobility_warehouse.database.embedded import embedded_url

    return embedded_url("warehouse")


def warehouse_engine(role: str | None = None, url: URL | None = None) -> Engine:
    """An engine whose every connection acts as ``role`` (one of ``ROLES``), or as the login user when None.

    Raises ValueError for a role that the warehouse does not have.
    """
    if role is not None and role not in ROLES:
        raise ValueError(f"no role {role!r} in the warehouse; roles are {', '.join(ROLES)}")
    return _engine(role, url or warehouse_url())


# An engine asks the server for its properties at its first connection, and keeps none open.
@cache
def _engine(role: str | None, url: URL) -> Engine:
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    if role is not None:

        @event.listens_for(engine, "connect")
        def _assume_role(dbapi_connection: Any, _record: object) -> None:
            with dbapi_connection.cursor() as cursor:
                cursor.execute(f"set role {role}")
            dbapi_connection.commit()

    return engine


def bytes_of(
    connection: Connection, query: ClauseElement, parameters: Mapping[str, object] | None = None
) -> bytes | None:
    """The one value of a query, of type bytea; None where it is null, or where there is no row.

    SQLAlchemy has it sent as hexadecimal text, which takes three times as long. Raises what SQLAlchemy does.
    """
    compiled = query.compile(dialect=connection.dialect)
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    statement, values = str(compiled), compiled.construct_params(dict(parameters or {}))
    try:
        row = driver.execute(statement.encode(), values, binary=True).fetchone()
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg.Error, hide_parameters=True) from error
    return None if row is None else row[0]


def require_deployed(url: URL | None = None) -> None:
    """Raise NotDeployed unless the database has every fixed table. Needs the login user alone, no role."""
    from mobility_warehouse.database.tables import metadata

    with create_engine(url or warehouse_url(), poolclass=NullPool).connect() as connection:
        standing: set[str] = set(
            connection.execute(
                text("""
                    select schema_of.nspname || '.' || relation.relname
                    from pg_catalog.pg_class as relation
                    inner join pg_catalog.pg_namespace as schema_of on relation.relnamespace = schema_of.oid
                """)
            ).scalars()
        )
    missing = sorted(metadata.tables.keys() - standing)
    if len(missing) == len(metadata.tables):
        raise NotDeployed(
            "the warehouse is not deployed in this database: run `mobility deploy` to make its tables and "
            "roles, or `mobility run` to fill them too"
        )
    if missing:
        raise NotDeployed(
            f"the database was deployed by another version, it has no {', '.join(missing)}: "
            "run `mobility deploy`"
        )
