"""Independent stakeholders' reports: a survey of their own on LimeSurvey's RemoteControl 2.

Article 9.4 of the Code lets the Secretariat consider reports from stakeholders. A contribution may be on one
of nine thematic fields alone, so that most answers are missing, and none is expected.
"""

from __future__ import annotations

from mobility_warehouse.sources.limesurvey import LimeSurvey, catalogue

NAME = "stakeholders"

SOURCE = LimeSurvey(
    name=NAME,
    title="Independent stakeholders' reporting instrument (LimeSurvey)",
    publisher="World Health Organization; the shipped contributions are synthetic, by this project",
    licence="Apache-2.0 (the shipped synthetic contributions)",
    attribution="Synthetic contributions made by this project; no organisation said any of this.",
    cadence="A call with every round of national reporting, each open for some months",
    schedule="20 3 * * *",
    surveys=catalogue(NAME),
)
