"""The SQL function `marts.trace` follows the project's version, whatever stood before it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import text

from mobility_warehouse.database.deploy import deploy
from mobility_warehouse.database.engine import warehouse_engine
from mobility_warehouse.publication.trace import trace

from .conftest import Audit

KEY = {"country_iso3": "IND", "year": 2020}
_EARLIER = (
    "drop function marts.trace(text, jsonb)",
    """
    create function marts.trace(mart text, key jsonb)
    returns table (fetch_id bigint, origin text) language sql stable
    as $$ select 7::bigint, mart || ' as an earlier version told it' $$
    """,
    "revoke all on function marts.trace(text, jsonb) from public",
    "grant execute on function marts.trace(text, jsonb) to analyst, transform",
)
_READERS = """
    select array_agg(distinct pg_get_userbyid(acl.grantee)::text order by pg_get_userbyid(acl.grantee)::text)
    from pg_proc as function cross join aclexplode(function.proacl) as acl
    where function.oid = to_regprocedure('marts.trace(text, jsonb)') and acl.privilege_type = 'EXECUTE'
"""


@pytest.fixture
def earlier(audit: Audit, density: Callable[..., None]) -> Audit:
    """A published warehouse whose trace has the columns and grants of an earlier version."""
    density(("IND", 2020, 7.35, []))
    audit.publish()
    with audit.publisher.begin() as connection:
        for statement in _EARLIER:
            connection.exec_driver_sql(statement)
    return audit


def _upgrade(audit: Audit, way: str) -> None:
    if way == "deploy":
        deploy(audit.warehouse, [])
    else:
        audit.publish()


@pytest.mark.parametrize("way", ["deploy", "publish"])
def test_a_function_with_other_columns_is_replaced_and_keeps_its_readers(earlier: Audit, way: str) -> None:
    _upgrade(earlier, way)

    assert trace(earlier.analyst, "density", KEY).records == ()
    assert earlier.rows(_READERS) == [(["analyst", "bi_reader", "publisher", "secretariat", "transform"],)]
    ((comment,),) = earlier.rows("select obj_description('marts.trace(text, jsonb)'::regprocedure)")
    assert str(comment).startswith("Where a row of a mart came from")


def test_a_view_on_it_stands_and_says_what_it_rests_on(earlier: Audit) -> None:
    with earlier.warehouse.begin() as connection:
        connection.execute(text("create view public.mine as select * from marts.trace('density', '{}')"))

    _upgrade(earlier, "publish")

    assert earlier.rows("select * from public.mine") == [(7, "density as an earlier version told it")]
    ((name, comment),) = earlier.rows(
        "select proname, obj_description(oid) from pg_proc where proname like 'trace\\_superseded\\_%'"
    )
    assert "views rest on it" in comment, name
    assert trace(earlier.analyst, "density", KEY).records == ()


def test_a_refused_publication_leaves_the_function(earlier: Audit, density: Callable[..., None]) -> None:
    earlier.build("drop table audit.density", "create table audit.other (id integer primary key)")

    with pytest.raises(Exception, match="audit has no table density"):
        earlier.publish()

    with warehouse_engine("analyst", earlier.warehouse.url).connect() as connection:
        query = text("select origin from marts.trace('density', cast(:key as jsonb))")
        told: str = connection.execute(query, {"key": json.dumps(KEY)}).scalar_one()
    assert told == "density as an earlier version told it"
