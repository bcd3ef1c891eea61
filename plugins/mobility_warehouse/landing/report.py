"""What a pull did, and the ways in which it can end without landing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class FetchReport:
    """One row of raw.fetch as its caller sees it. Counts are records; ``seconds`` is wall time.

    ``read == inserted + revised + unchanged + noise + duplicate + superseded + absent + quarantined`` for a
    fetch that is loaded or unchanged; ``withdrawn`` counts versions closed because nothing was read for them.
    """

    fetch_id: int
    source: str
    resource: str
    slice: str
    outcome: str = "running"
    read: int = 0
    inserted: int = 0
    revised: int = 0
    unchanged: int = 0
    noise: int = 0
    duplicate: int = 0
    superseded: int = 0
    absent: int = 0
    quarantined: int = 0
    withdrawn: int = 0
    message: str | None = None
    seconds: float = 0.0

    @property
    def changed(self) -> bool:
        """Whether any version was opened or closed."""
        return bool(self.inserted or self.revised or self.withdrawn)


class PullError(Exception):
    """A pull that landed nothing; ``report`` is its row of raw.fetch."""

    def __init__(self, report: FetchReport) -> None:
        super().__init__(f"{report.source} {report.resource} {report.slice}: {report.message}")
        self.report = report


class PullFailed(PullError):
    """The source gave no whole, valid answer; a later try may."""


class PullRefused(PullError):
    """The answer looks broken as a whole; nothing changes until a person accepts the fetch."""


class PullBusy(Exception):
    """Another pull of the same slice is under way."""
