"""A deploy brings any earlier state forward, and refuses what would reinterpret landed versions."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import URL, Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from mobility_warehouse.database.deploy import DeployRefused, alembic_config, deploy
from mobility_warehouse.database.engine import ROLES, warehouse_engine
from mobility_warehouse.database.tables import SCHEMAS
from mobility_warehouse.sources.declaration import Column, ColumnType, Resource
from mobility_warehouse.sources.registry import sources
from tests.landing.ledger import ENTRY, LedgerSource


@pytest.fixture
def engine(database: URL) -> Iterator[Engine]:
    engine = create_engine(database, poolclass=NullPool)
    yield engine
    engine.dispose()


def ledger(resource: Resource = ENTRY) -> list[LedgerSource]:
    return [LedgerSource(resources=(resource,))]


def columns(engine: Engine) -> dict[str, str]:
    return {
        column["name"]: str(column["type"])
        for column in inspect(engine).get_columns("ledger__entry", schema="raw")
    }


def test_registered_sources_deploy_on_an_empty_database_and_again_without_a_change(engine: Engine) -> None:
    report = deploy(engine, sources().values())
    assert "raw.who_gho__observation" in report.created
    again = deploy(engine, sources().values())
    assert (again.created, again.added_columns) == ([], [])
    assert set(SCHEMAS) <= set(inspect(engine).get_schema_names())


def test_two_deploys_at_once_are_one(engine: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: deploy(engine, ledger()), range(2)))
    assert sorted(len(report.created) for report in reports) == [0, 1]


def test_migrations_give_the_declared_fixed_tables(engine: Engine) -> None:
    deploy(engine, [])
    with engine.connect() as connection:
        command.check(alembic_config(connection))


def test_gained_column_is_added_and_older_versions_lack_it(engine: Engine) -> None:
    deploy(engine, ledger())
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into raw.ledger__entry (account, key_hash, content_hash, slice, fetch_id, "
                "response_id, record_no, fetched_from) "
                "values ('A', gen_random_uuid(), gen_random_uuid(), 'all', 1, 1, 0, now())"
            )
        )
    gained = Column("currency", ColumnType.TEXT, "Currency of the amount")
    report = deploy(engine, ledger(replace(ENTRY, columns=(*ENTRY.columns, gained))))
    assert report.added_columns == ["raw.ledger__entry.currency"]
    with engine.connect() as connection:
        assert connection.execute(text("select currency from raw.ledger__entry")).scalar_one() is None


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (replace(ENTRY, columns=ENTRY.columns[:-1]), "no longer has refreshed"),
        (
            replace(
                ENTRY,
                columns=(
                    *ENTRY.columns[:2],
                    replace(ENTRY.columns[2], type=ColumnType.TEXT),
                    *ENTRY.columns[3:],
                ),
            ),
            "declared TEXT, landed as DOUBLE PRECISION",
        ),
        (replace(ENTRY, key=("account",)), "natural key changed from 'account, year.' to 'account.'"),
        (
            replace(
                ENTRY,
                columns=(*ENTRY.columns, Column("currency", ColumnType.TEXT, "Currency", nullable=False)),
            ),
            "gained column must be nullable",
        ),
    ],
    ids=["lost column", "changed type", "changed key", "gained column without nulls"],
)
def test_any_other_change_is_refused_and_changes_nothing(
    engine: Engine, changed: Resource, says: str
) -> None:
    deploy(engine, ledger())
    before = columns(engine)
    with pytest.raises(DeployRefused, match=says):
        deploy(engine, ledger(changed))
    assert columns(engine) == before


def test_the_secretariats_view_follows_the_declaration_and_keeps_what_was_built_on_it(engine: Engine) -> None:
    remark = Column("remark", ColumnType.TEXT, "Words about persons", restricted=True)
    secret = replace(ENTRY, columns=(*ENTRY.columns, remark), personal_data=True)
    deploy(engine, ledger(secret))
    assert view_columns(engine)[: len(secret.columns)] == [column.name for column in secret.columns]
    with engine.begin() as connection:
        connection.execute(
            text("create view public.mine as select remark from restricted.ledger__entry_versions")
        )
    currency = Column("currency", ColumnType.TEXT, "Currency of the amount")
    phone = Column("phone", ColumnType.TEXT, "Phone", restricted=True)

    for _ in range(2):
        deploy(engine, ledger(replace(secret, columns=(*ENTRY.columns, currency, remark, phone))))

    assert view_columns(engine)[-2:] == ["currency", "phone"]
    with engine.begin() as connection:
        connection.execute(
            text("""
                with version as (
                    insert into raw.ledger__entry (
                        account, currency, key_hash, content_hash, slice, fetch_id, response_id, record_no,
                        fetched_from
                    )
                    select account, 'EUR', gen_random_uuid(), gen_random_uuid(), 'all', 1, 1, 0, now()
                    from unnest(array['A', 'B']) as account
                    returning *
                )
                insert into restricted.ledger__entry (key_hash, fetch_id, remark, phone)
                select key_hash, fetch_id, 'call Ana', '555' from version where account = 'A'
            """)
        )
        query = "select account, currency, remark, phone from restricted.ledger__entry_versions order by 1"
        rows = connection.execute(text(query))
        assert [tuple(row) for row in rows] == [("A", "EUR", "call Ana", "555"), ("B", "EUR", None, None)]
        assert connection.execute(text("select count(*) from public.mine")).scalar_one() == 2
        connection.execute(text("drop view public.mine"))


def view_columns(engine: Engine) -> list[str]:
    columns = inspect(engine).get_columns("ledger__entry_versions", schema="restricted")
    assert all(column["comment"] for column in columns)
    return [column["name"] for column in columns]


def test_a_resource_without_restricted_columns_has_no_view(engine: Engine) -> None:
    deploy(engine, ledger())
    assert inspect(engine).get_view_names("restricted") == []


def test_descriptions_may_hold_percent_signs_and_quotes(engine: Engine) -> None:
    gained = Column("share", ColumnType.FLOAT, "Share of the country's product; 100% known", unit="%")
    deploy(engine, ledger(replace(ENTRY, columns=(*ENTRY.columns, gained))))

    (share,) = [c for c in inspect(engine).get_columns("ledger__entry", schema="raw") if c["name"] == "share"]
    assert share["comment"] == "Share of the country's product; 100% known (unit: %)"


def test_every_table_and_column_is_explained(engine: Engine) -> None:
    deploy(engine, sources().values())
    inspector = inspect(engine)
    for source in sources().values():
        for resource in source.resources:
            name = f"{source.name}__{resource.name}"
            assert inspector.get_table_comment(name, schema="raw")["text"]
            silent = [
                column["name"]
                for column in inspector.get_columns(name, schema="raw")
                if not column.get("comment")
            ]
            assert silent == []


def test_connections_act_as_their_role(engine: Engine, database: URL) -> None:
    deploy(engine, [])
    for role in ROLES:
        acting = warehouse_engine(role, url=database)
        with acting.connect() as connection:
            assert connection.execute(text("select current_user")).scalar_one() == role
        acting.dispose()
    with pytest.raises(ValueError, match="no role 'root'"):
        warehouse_engine("root", url=database)
