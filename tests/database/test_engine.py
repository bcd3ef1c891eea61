"""Single values of bytes, past SQLAlchemy's way of fetching them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, Connection, LargeBinary, create_engine, literal, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from mobility_warehouse.database.engine import bytes_of

EVERY_BYTE = bytes(range(256))


@pytest.fixture
def connection(database: URL) -> Iterator[Connection]:
    with create_engine(database, poolclass=NullPool).connect() as connection:
        yield connection


def test_bytes_come_as_they_were_given(connection: Connection) -> None:
    assert bytes_of(connection, text("select cast(:value as bytea)"), {"value": EVERY_BYTE}) == EVERY_BYTE
    assert bytes_of(connection, select(literal(EVERY_BYTE, LargeBinary))) == EVERY_BYTE
    assert bytes_of(connection, text("select cast('' as bytea)")) == b""


def test_no_value_and_no_row_are_none(connection: Connection) -> None:
    assert bytes_of(connection, text("select cast(null as bytea)")) is None
    assert bytes_of(connection, text("select cast('a' as bytea) where false")) is None


def test_bytes_are_read_within_the_transaction(connection: Connection) -> None:
    with connection.begin():
        connection.execute(text("create temporary table body (bytes bytea) on commit drop"))
        connection.execute(text("insert into body values (:bytes)"), {"bytes": EVERY_BYTE})
        assert bytes_of(connection, text("select bytes from body")) == EVERY_BYTE


def test_errors_are_those_of_sqlalchemy_and_say_no_value(connection: Connection) -> None:
    with pytest.raises(ProgrammingError, match="no_such_table") as raised:
        bytes_of(connection, text("select :secret from no_such_table"), {"secret": "s3cret"})
    assert "s3cret" not in str(raised.value)
