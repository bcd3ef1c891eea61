"""KNOMAD's matrices in the contract suite."""

from __future__ import annotations

from dataclasses import replace

from mobility_warehouse.sources.declaration import Slice
from tests.sources.contract import BadConfiguration, Drift, SourceFixture

ORIGIN = "Bilateral Estimates of Migrant Stocks in 2017"

FIXTURE = SourceFixture(
    replay_path="knomad_matrix",
    part=Slice("migrant_stock", "migrant_stocks_2017"),
    read=216 * 216,
    absent=0,
    data_requests=r"/knomad_matrix/",
    bad_configurations=(
        BadConfiguration(
            "wrong path",
            lambda good: replace(good, base_url=good.base_url + "/nowhere/else"),
            r"knomad_matrix migrant_stock migrant_stocks_2017: HTTP 404.*/nowhere/else/",
        ),
        BadConfiguration(
            "another service",
            lambda good: replace(good, base_url=good.base_url.replace("knomad_matrix", "_replay/health?")),
            r"knomad_matrix migrant_stock migrant_stocks_2017: .*no answer of this API",
        ),
    ),
    # What becomes of unknown columns is tested with the source: they cost the file, not a record.
    drifts=(
        Drift("text for a number", {"set": {"Albania": "many"}}, "wrong_type", "Albania"),
        Drift("NaN", {"set": {"Albania": "NaN"}}, "wrong_type", "Albania"),
        Drift("a date", {"set": {"Algeria": {"date": "2017-01-05"}}}, "wrong_type", "Algeria"),
        Drift("country", {"set": {ORIGIN: "Atlantis"}}, "unknown_country", ORIGIN),
        Drift("thousands", {"set": {"Zimbabwe": "1,234"}}, "wrong_type", "Zimbabwe"),
    ),
)
