"""Least privilege, by trying what each role must not do, and what it must be able to."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from mobility_warehouse.database.engine import ROLES, warehouse_engine

READERS = ("analyst", "bi_reader", "secretariat")

_PREPARE = (
    ("transform", "create table audit.stock (id integer primary key, fetch_ids bigint[])"),
    ("transform", "create table staging.stock (id integer)"),
    ("transform", "create table reference.region (code text primary key)"),
    ("publisher", "create table marts.stock (id integer primary key, fetch_ids bigint[])"),
    ("publisher", "insert into marts.stock values (1, '{1}')"),
    (
        "ingest",
        "insert into raw.body (sha256, bytes_zstd, size_bytes) values ('\\x00', '\\x00', 1)",
    ),
    (
        "ingest",
        "insert into restricted.body (sha256, bytes_zstd, size_bytes) values ('\\x01', '\\x00', 1)",
    ),
)

RESTRICTED = (
    "select * from restricted.body",
    "select * from restricted.quarantined",
    "select * from restricted.limesurvey__response",
    "select * from restricted.limesurvey__response_versions",
)
RAW = (
    "select * from raw.fetch",
    "select * from raw.response",
    "select * from raw.body",
    "select * from raw.limesurvey__response",
    "select * from quarantine.record",
    "select * from staging.stock",
    "select * from audit.stock",
)
WRITE_MARTS = (
    "insert into marts.stock values (2, '{}')",
    "update marts.stock set fetch_ids = '{}'",
    "delete from marts.stock",
    "truncate marts.stock",
    "drop table marts.stock",
    "create table marts.other (id integer)",
    "alter table marts.stock add column more text",
)
WRITE_QUALITY = (
    "update quality.gate set passed = true",
    """
    insert into quality.publication (run_id, as_of, code_revision, reference_hash, gate_ids)
    values ('x', now(), '', '', '{}')
    """,
    "delete from quality.mart_change",
)
WRITE_RAW = (
    "insert into raw.fetch (source, resource, slice, synthetic) values ('x', 'x', 'x', false)",
    "update raw.limesurvey__response set withdrawn = true",
    "update raw.body set size_bytes = 2",
    "delete from raw.body",
)
ESCALATE = ("create role intruder", "create schema mine", "create table public.mine (id integer)")

FORBIDDEN: dict[str, tuple[str, ...]] = {
    **{
        role: (*RAW, *WRITE_RAW, *WRITE_MARTS, *WRITE_QUALITY, *ESCALATE)
        + (() if role == "secretariat" else RESTRICTED)
        for role in READERS
    },
    "ingest": (
        *RESTRICTED,
        "select * from marts.stock",
        "select * from audit.stock",
        "delete from raw.fetch",
        "delete from raw.body",
        "delete from quarantine.record",
        "update restricted.body set size_bytes = 2",
        "delete from restricted.body",
        *WRITE_MARTS,
        *WRITE_QUALITY,
        *ESCALATE,
    ),
    "transform": (
        *RESTRICTED,
        "select * from raw.body",
        "select * from quarantine.record",
        *WRITE_RAW,
        *WRITE_MARTS,
        *WRITE_QUALITY,
        "create role intruder",
        "create table raw.mine (id integer)",
    ),
    "publisher": (
        *RESTRICTED,
        "select * from raw.body",
        *WRITE_RAW,
        "delete from quality.gate",
        "delete from quality.publication",
        "delete from quality.mart_change",
        "insert into audit.stock values (1, '{}')",
        "drop table audit.stock",
        "insert into reference.region values ('AFR')",
        *ESCALATE,
    ),
    "secretariat": (
        *RAW,
        *WRITE_RAW,
        *WRITE_MARTS,
        *WRITE_QUALITY,
        *ESCALATE,
        "insert into restricted.body (sha256, bytes_zstd, size_bytes) values ('\\x02', '\\x00', 1)",
        "update restricted.body set size_bytes = 2",
        "delete from restricted.body",
    ),
}

ALLOWED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        READERS,
        (
            "select * from marts.stock",
            "select * from reference.region",
            "select * from quality.gate",
            "select * from quality.mart_change",
        ),
    ),
    "ingest": (
        "select * from raw.fetch",
        "insert into restricted.body (sha256, bytes_zstd, size_bytes) values ('\\x03', '\\x00', 1)",
        "insert into raw.fetch (source, resource, slice, synthetic) values ('x', 'x', 'x', false)",
        "update raw.limesurvey__response set withdrawn = true",
    ),
    "transform": (
        "select * from raw.limesurvey__response",
        "drop table audit.stock",
        "create table intermediate.other (id integer)",
        "create schema asof_20250115_audit",
    ),
    "publisher": (
        "select * from audit.stock",
        "select * from raw.fetch",
        "select * from raw.who_gho__observation",
        "select * from reference.region",
        "delete from marts.stock",
    ),
    "secretariat": (
        *RESTRICTED,
        "select * from marts.stock",
        "select * from reference.region",
        "select * from quality.gate",
    ),
}


@pytest.fixture
def prepared(warehouse: Engine) -> Engine:
    for role, statement in _PREPARE:
        with warehouse_engine(role, warehouse.url).begin() as connection:
            connection.execute(text(statement))
    return warehouse


@pytest.mark.parametrize("role", sorted(FORBIDDEN))
def test_a_role_cannot_do_more_than_its_work(prepared: Engine, role: str) -> None:
    engine = warehouse_engine(role, prepared.url)

    for statement in FORBIDDEN[role]:
        with (
            engine.connect() as connection,
            pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        ):
            connection.execute(text(statement))


@pytest.mark.parametrize("role", sorted(ALLOWED))
def test_a_role_can_do_its_work(prepared: Engine, role: str) -> None:
    engine = warehouse_engine(role, prepared.url)

    for statement in ALLOWED[role]:
        with engine.connect() as connection, connection.begin() as transaction:
            connection.execute(text(statement))
            transaction.rollback()


def test_every_role_but_the_owner_is_tried() -> None:
    assert {*FORBIDDEN, "warehouse_owner"} == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_the_view_of_restricted_columns_is_for_the_secretariat_alone(prepared: Engine, role: str) -> None:
    with prepared.connect() as connection:
        held: list[str] = [
            privilege
            for privilege in ("select", "insert", "update", "delete")
            if connection.execute(
                text("select has_table_privilege(:role, 'restricted.limesurvey__response_versions', :asked)"),
                {"role": role, "asked": privilege},
            ).scalar_one()
        ]
    expected = {"secretariat": ["select"], "warehouse_owner": ["select", "insert", "update", "delete"]}
    assert held == expected.get(role, [])


def test_restricted_columns_are_in_no_schema_that_others_read(prepared: Engine) -> None:
    with prepared.connect() as connection:
        columns = connection.execute(
            text("""
                select twin.table_schema, twin.table_name, twin.column_name
                from information_schema.columns as own
                inner join information_schema.columns as twin
                    on own.column_name = twin.column_name and own.table_name = twin.table_name
                where
                    own.table_schema = 'restricted'
                    and own.table_name like '%\\_\\_%'
                    and own.column_name not in ('key_hash', 'fetch_id')
                    and twin.table_schema <> 'restricted'
            """)
        ).all()
        held: int = connection.execute(
            text("""
                select count(*) from information_schema.columns
                where table_schema = 'restricted' and table_name like '%\\_\\_%'
                    and column_name not in ('key_hash', 'fetch_id')
            """)
        ).scalar_one()

    assert columns == []
    assert held > 0, "no restricted column was looked at"
