"""Upkeep on a deployed database: the archive proved, tables vacuumed, lateness noticed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
import zstandard
from sqlalchemy import Engine, text

from mobility_warehouse import upkeep
from mobility_warehouse.landing.archive import ArchiveDamaged
from mobility_warehouse.sources.registry import sources

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)  # a Wednesday
MONDAYS = "0 4 * * 1"


def _archive(engine: Engine, schema: str, body: bytes, *, digest_of: bytes | None = None) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(f"insert into {schema}.body (sha256, bytes_zstd, size_bytes) values (:sha, :bytes, :size)"),
            {
                "sha": hashlib.sha256(digest_of or body).digest(),
                "bytes": zstandard.ZstdCompressor().compress(body),
                "size": len(body),
            },
        )


def test_a_sound_archive_is_proved_in_both_places(warehouse: Engine) -> None:
    assert upkeep.verify_archive(10, warehouse) == 0
    _archive(warehouse, "raw", b"one")
    _archive(warehouse, "raw", b"two")
    _archive(warehouse, "restricted", b"three")
    assert upkeep.verify_archive(10, warehouse) == 3
    assert upkeep.verify_archive(1, warehouse) <= 2


@pytest.mark.parametrize("schema", ["raw", "restricted"])
def test_bytes_that_changed_are_noticed(warehouse: Engine, schema: str) -> None:
    _archive(warehouse, schema, b"tampered with", digest_of=b"as received")
    with pytest.raises(ArchiveDamaged):
        upkeep.verify_archive(10, warehouse)


def test_what_changes_from_run_to_run_is_vacuumed(warehouse: Engine) -> None:
    done = upkeep.vacuum(warehouse)
    assert {"raw.response", "raw.who_gho__observation", "quarantine.record"} <= set(done)
    with warehouse.connect() as connection:
        vacuumed: int = connection.execute(
            text(
                "select vacuum_count from pg_stat_user_tables where schemaname = 'raw' and relname = 'fetch'"
            )
        ).scalar_one()
    assert vacuumed >= 1


def _pull_all(engine: Engine, when: datetime, *, but: str | None = None) -> None:
    with engine.begin() as connection:
        for source in sources().values():
            for part in source.slices():
                if part.name != but:
                    connection.execute(
                        text(
                            "insert into raw.fetch "
                            "(source, resource, slice, synthetic, outcome, read, finished_at) "
                            "values (:source, :resource, :slice, false, 'unchanged', 0, :finished)"
                        ),
                        {
                            "source": source.name,
                            "resource": part.resource,
                            "slice": part.name,
                            "finished": when,
                        },
                    )


def _schedules(schedule: str | None) -> dict[str, str | None]:
    return dict.fromkeys(sources(), schedule)


def test_what_was_pulled_in_the_last_two_intervals_is_not_late(warehouse: Engine) -> None:
    _pull_all(warehouse, NOW - timedelta(days=9))  # the Monday before the last
    upkeep.check_freshness(_schedules(MONDAYS), warehouse, NOW)


def test_what_missed_two_pulls_is_late(warehouse: Engine) -> None:
    _pull_all(warehouse, NOW - timedelta(days=10))
    slices = sum(len(source.slices()) for source in sources().values())
    with pytest.raises(upkeep.Late, match=f"^{slices} slices are late") as late:
        upkeep.check_freshness(_schedules(MONDAYS), warehouse, NOW)
    assert "who_gho observation HWF_0001: last pulled 2026-05-31" in str(late.value)


def test_a_slice_that_was_never_pulled_is_late(warehouse: Engine) -> None:
    _pull_all(warehouse, NOW, but="HWF_0001")
    with pytest.raises(upkeep.Late, match=r"^1 slices are late\nwho_gho observation HWF_0001: never pulled"):
        upkeep.check_freshness(_schedules(MONDAYS), warehouse, NOW)


def test_behind_the_replay_server_nothing_is_late(warehouse: Engine) -> None:
    upkeep.check_freshness(_schedules(None), warehouse, NOW)
