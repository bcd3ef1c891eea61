"""Writes the synthetic reports into the snapshot; there is no publisher's file to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.limesurvey_responses import participants, responses
from mobility_warehouse.snapshot.limesurvey_survey import ROUNDS, SURVEY_IDS

PUBLICATION = Publication(
    source="limesurvey",
    publisher="this project",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    attribution="Synthetic answers made by this project; no country said any of this.",
)

#: Rounds whose responses did not change between the vintages.
_UNCHANGED = (2015, 2018)


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """Responses and participants of every round and vintage; ``input_directory`` is not read."""
    built = []
    for round_year in ROUNDS:
        vintages = ((1, 2),) if round_year in _UNCHANGED else ((1,), (2,))
        for served_in in vintages:
            built += [
                _resource(round_year, "response", served_in, responses(round_year, served_in[-1])),
                _resource(round_year, "participant", served_in, participants(round_year, served_in[-1])),
            ]
    return built


def _resource(
    round_year: int, kind: str, vintages: tuple[int, ...], records: Sequence[Mapping[str, object]]
) -> BuiltResource:
    survey_id = SURVEY_IDS[round_year]
    suffix = "" if len(vintages) > 1 else f"-vintage-{vintages[0]}"
    return BuiltResource(
        publication=PUBLICATION,
        resource=f"{kind}_{survey_id}",
        vintages=vintages,
        path=f"limesurvey/{kind}_{survey_id}{suffix}.jsonl.zst",
        title=f"National reporting instrument {round_year}, {kind}s (synthetic)",
        source_url="",
        published=None,
        retrieved="",
        processing="Made up by the project: chance is a hash of country, round and topic.",
        inputs=(),
        records=records,
        synthetic=True,
    )
