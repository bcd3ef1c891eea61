"""What lies in the inbox and what became of it, for whoever dropped it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from sqlalchemy import Engine, text

from mobility_warehouse.settings import INBOX, Settings
from mobility_warehouse.sources.declaration import Source, resource_of
from mobility_warehouse.sources.files import FileSource
from mobility_warehouse.sources.inbox import Dropped, State, look

#: Every pull of a dropped file, oldest first; the bodies of an accepted fetch are those of the refused one.
_PULLS = """
select
    pull.fetch_id, pull.resource, pull.slice, pull.outcome, pull.message,
    encode(response.sha256, 'hex') as sha256, response.headers ->> 'last-modified' as modified
from raw.fetch as pull
inner join raw.response on coalesce(pull.accepted_fetch_id, pull.fetch_id) = response.fetch_id
where pull.source = :source and pull.outcome <> 'running'
order by pull.fetch_id
"""


@dataclass(frozen=True, slots=True)
class InboxFile:
    """One file of the inbox.

    ``state`` is waiting (not whole yet), whole (the next pull reads it), landed or refused; ``why`` says why
    it waits or is refused. ``slice`` is what it belongs to, ``fetch_id`` the pull that read it; None where
    unknown.
    """

    source: str
    name: str
    size: int
    modified: datetime
    state: str
    why: str
    slice: str | None = None
    fetch_id: int | None = None


def inbox_files(engine: Engine, sources: Iterable[Source], settings: Settings) -> list[InboxFile]:
    """Every file in the folders of the sources that are read from files, oldest first within a source."""
    found: list[InboxFile] = []
    for source in sources:
        if isinstance(source, FileSource):
            folder = settings.inbox_dir / source.default_base_url.removeprefix(INBOX)
            dropped = look(folder, settings.inbox_settle)
            found += _judged(engine, source, dropped) if dropped else []
    return found


def _judged(engine: Engine, source: FileSource, dropped: list[Dropped]) -> list[InboxFile]:
    with engine.connect() as connection:
        pulls = connection.execute(text(_PULLS), {"source": source.name}).all()
    landed = {(pull.slice, pull.sha256): pull for pull in pulls if pull.outcome in ("loaded", "unchanged")}
    refused = {(pull.slice, pull.sha256): pull for pull in pulls if pull.outcome in ("refused", "failed")}
    newest = {
        pull.slice: parsedate_to_datetime(pull.modified)
        for pull in sorted(landed.values(), key=lambda pull: parsedate_to_datetime(pull.modified or _NEVER))
        if pull.modified
    }
    files: list[InboxFile] = []
    for each in dropped:
        part = source.slice_of(each.name)
        seen = InboxFile(
            source.name,
            each.name,
            each.size,
            each.modified,
            each.state.value,
            each.why,
            part.name if part is not None else None,
        )
        if each.state is not State.WHOLE:
            files.append(seen)
        elif part is None:
            files.append(replace(seen, state="refused", why="no mapping of the source fits its name"))
        elif pull := landed.get((part.name, each.sha256)):
            files.append(replace(seen, state="landed", fetch_id=pull.fetch_id))
        elif (
            resource_of(source, part.resource).complete_pulls
            and part.name in newest
            and each.modified < newest[part.name]
        ):
            files.append(replace(seen, state="refused", why="older than the last file that landed"))
        elif pull := refused.get((part.name, each.sha256)):
            files.append(replace(seen, state="refused", why=pull.message or "", fetch_id=pull.fetch_id))
        else:
            files.append(seen)
    return files


_NEVER = "Thu, 01 Jan 1970 00:00:00 GMT"
