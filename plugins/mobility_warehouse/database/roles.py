"""Roles of the warehouse and what each may do; every grant is stated here and nowhere else."""

from __future__ import annotations

from sqlalchemy import Connection, text

from mobility_warehouse.database.engine import ROLES

#: Names the login user may use by SET ROLE; PostgreSQL roles belong to the cluster, so they are made once.
_CREATE_ROLE = """
do $$ begin
    create role {role} nologin;
exception when duplicate_object or unique_violation then null;
end $$
"""

_READERS = "analyst, bi_reader, secretariat"

#: Statements in order. `transform` reads raw, never restricted; `publisher` alone writes marts.
_GRANTS = f"""
grant create, temporary on database {{database}} to warehouse_owner, transform;
grant temporary on database {{database}} to ingest, publisher;
revoke create on schema public from public;

grant usage on schema raw to ingest, transform, publisher;
grant usage on schema quarantine to ingest;
grant usage on schema restricted to ingest, secretariat;
grant usage on schema reference, staging, intermediate, audit to publisher;
grant usage, create on schema reference, staging, intermediate, audit to transform;
grant usage, create on schema marts to publisher;
grant usage on schema marts, reference, quality to {_READERS};
grant usage on schema marts, quality to transform;
grant usage on schema quality to ingest, publisher;

grant select, insert, update, maintain on all tables in schema raw, quarantine to ingest;
grant insert on all tables in schema restricted to ingest;
grant select on all tables in schema restricted to secretariat;
grant select on raw.fetch, raw.response, raw.stale to transform, publisher;
grant select, insert, update on all tables in schema quality to publisher;
grant select on all tables in schema quality to {_READERS}, transform;
grant select on quarantine.record to publisher;
grant usage on schema quarantine to publisher;

alter default privileges for role transform grant select on tables to publisher;
alter default privileges for role transform in schema reference grant select on tables to {_READERS};
alter default privileges for role publisher in schema marts grant select on tables to {_READERS}, transform;
"""

#: A grant on all tables of a schema takes its views with it.
_KEEP_VIEWS_FROM_INGEST = """
do $$ declare
    view_name text;
begin
    for view_name in
        select format('%I.%I', schemaname, viewname) from pg_views where schemaname = 'restricted'
    loop
        execute 'revoke all on ' || view_name || ' from ingest';
    end loop;
end $$
"""


def create_roles(connection: Connection) -> None:
    """Create the roles that are missing and let the login user assume each of them."""
    for role in ROLES:
        connection.execute(text(_CREATE_ROLE.format(role=role)))
        connection.execute(text(f"grant {role} to current_user with inherit true, set true"))


def grant_all(connection: Connection) -> None:
    """State every grant on schemas and fixed tables; safe to repeat."""
    database: str = connection.execute(text("select quote_ident(current_database())")).scalar_one()
    for statement in _GRANTS.format(database=database).split(";"):
        if statement.strip():
            connection.execute(text(statement))
    connection.exec_driver_sql(_KEEP_VIEWS_FROM_INGEST.replace("%", "%%"))
