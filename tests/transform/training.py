"""Crafted versions of health workers by place of training: one of every kind that staging tells apart."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.transform.landed import Landed

OECD: dict[str, Any] = {
    "dataflow": "OECD.ELS.HD:DSD_HEALTH_WFMI@DF_HEALTH_WFMI(1.0)",
    "ref_area": "GBR",
    "freq": "A",
    "measure": "FT_STOCK",
    "measure_kind": "stock",
    "unit_measure": "PS",
    "profession": "PHYS",
    "origin": "IND",
    "further_dimensions": {"SEX": "_T"},
    "time_period": "2018",
    "obs_value": 15_870.0,
    "obs_status": "A",
    "unit_mult": 0,
}
OECD_STAT: dict[str, Any] = {
    "country": "GBR",
    "variable": "FTDS",
    "origin_country": "IND",
    "year": 2018,
    "value": 15_870.0,
}
PERSONNEL: dict[str, Any] = {
    "freq": "A",
    "unit": "P_HTHAB",
    "wstatus": "PRACT",
    "med_spec": "NRS",
    "geo": "EL",
    "time": "2020",
    "value": 215.0,
    "updated": datetime.fromisoformat("2024-01-15T23:30:00+00:00"),
}
TRAINING: dict[str, Any] = {
    "freq": "A",
    "unit": "NR",
    "isco08": "OC221",
    "tngplace": "FOR",
    "geo": "UK",
    "time": "2018",
    "value": 60_000.0,
    "updated": datetime.fromisoformat("2024-01-15T23:30:00+00:00"),
}
RECORDS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("oecd", "observation"): [
        OECD,
        {**OECD, "origin": "W", "obs_value": 52.643, "unit_mult": 3, "obs_status": "P"},
        {**OECD, "origin": "W", "unit_measure": "PT_WR_PRF_HLTH", "obs_value": 30.1},
        {**OECD, "origin": "PAK", "obs_value": None, "obs_status": "Q"},
        {**OECD, "ref_area": "OECD", "origin": "W", "obs_value": 1e6, "unit_mult": None},
        {**OECD, "profession": "MINU", "measure": "FT_INFLOW", "measure_kind": "inflow", "origin": "PHL"},
    ],
    ("oecd_stat", "observation"): [
        OECD_STAT,
        {**OECD_STAT, "variable": "TNBN", "origin_country": "TOT", "value": 652_651.0, "flag_codes": "B"},
    ],
    ("eurostat", "health_personnel"): [PERSONNEL, {**PERSONNEL, "geo": "EU27_2020", "value": 800.0}],
    ("eurostat", "place_of_training"): [
        TRAINING,
        {**TRAINING, "tngplace": "NAT_FOR", "value": None, "status": "c"},
        {**TRAINING, "tngplace": "FOR_IF", "value": 5_000.0, "status": "de"},
    ],
}


def land_training(landed: Landed, moment: datetime) -> None:
    """All of the records, known from a moment; Eurostat's places of training as invented ones."""
    for (source, resource), records in RECORDS.items():
        fetch_id = landed.fetch(source, resource, moment, synthetic=resource == "place_of_training")
        landed.versions(source, resource, fetch_id, records, known_from=moment)
