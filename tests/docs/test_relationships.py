"""What BI tools read of the published marts in the catalogue: keys that hold, and words on every column."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from mobility_warehouse.publication.relations import quoted, read_relations
from tests.published import Published


@pytest.mark.slow
def test_every_foreign_key_leads_to_a_row(published: Published) -> None:
    with published.analyst.connect() as connection:
        keys = [
            (mart, key)
            for mart in read_relations(connection, "marts").values()
            for key in mart.foreign_keys.values()
        ]
        assert len(keys) > 100
        for mart, key in keys:
            columns = ", ".join(quoted("child", column) for column in key.columns)
            referenced = ", ".join(quoted("parent", column) for column in key.referenced_columns)
            nowhere = connection.execute(
                text(
                    f"select {columns} from {mart.identifier} as child where num_nulls({columns}) = 0 except "
                    f"select {referenced} from {quoted('marts', key.references)} as parent"
                )
            ).all()
            assert nowhere == [], f"{mart.name}: {key}"


@pytest.mark.slow
def test_every_mart_tells_its_grain_and_every_column_what_it_is(published: Published) -> None:
    with published.analyst.connect() as connection:
        marts = read_relations(connection, "marts").values()
        views: list[str] = list(
            connection.execute(
                text("select viewname from pg_views where schemaname = 'marts' order by viewname")
            ).scalars()
        )
    assert [mart.name for mart in marts if not (mart.comment or "").startswith("One row per ")] == []
    assert [
        f"{mart.name}.{column.name}" for mart in marts for column in mart.columns if not column.comment
    ] == []
    # A view would need words of its own.
    assert views == []
