"""A safeguards list that sets an index of 2025 against 50 or 55 is refused, with the figures at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from mobility_warehouse.quality.gates import run_mart_gate
from mobility_warehouse.quality.results import GateFailed
from mobility_warehouse.settings import Settings

if TYPE_CHECKING:
    from .conftest import Landed

RULES = Settings.from_environment().expectations_dir / "marts" / "workforce.yml"


@pytest.mark.slow
@pytest.mark.parametrize(("definition", "passes"), [("before_2025", True), ("2025", False)])
def test_thresholds_never_meet_an_index_of_another_definition(
    landed: Landed, definition: str, passes: bool
) -> None:
    stated = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    rule = next(each for each in stated if each["rule"] == "thresholds_keep_to_their_index")
    landed.rules("marts/workforce.yml", yaml.safe_dump([rule]))
    landed.run(
        "create table audit.safeguards_list (edition integer, country text, uhc_index numeric(8, 4), "
        "uhc_index_edition text, uhc_index_threshold numeric(8, 4), threshold_uhc_index_edition text, "
        "country_iso3 text, primary key (edition, country_iso3))",
        "create table audit.dim_country (country_iso3 text primary key)",
        "insert into audit.dim_country values ('NPL')",
        f"insert into audit.safeguards_list values (2023, '', 54, '{definition}', 55, 'before_2025', 'NPL')",
        "grant select on all tables in schema audit to publisher",
    )
    if passes:
        assert run_mart_gate(landed.publisher, "run-1", settings=landed.settings).passed
        return
    with pytest.raises(
        GateFailed,
        match=r"(?s)thresholds_keep_to_their_index on audit.safeguards_list, 1 rows: "
        r"No UHC index meets a threshold of another definition.*NPL.*2025",
    ):
        run_mart_gate(landed.publisher, "run-1", settings=landed.settings)
