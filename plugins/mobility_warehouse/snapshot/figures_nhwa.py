"""Writes synthetic health workforce accounts into the snapshot, in the shapes of DHIS2.

No country's accounts are to be had without an account on the portal. What is real here: names of data
elements as the entry form has them (their status stands in the seed), the three answers of existence items,
the matrix of countries of training with the names of its time. What is invented: every code and UID, and
every figure. Countries and rough sizes are those of the synthetic national reports, so that the two sources
can be compared.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mobility_warehouse.snapshot.build import BuiltResource, Publication
from mobility_warehouse.snapshot.limesurvey_countries import COUNTRIES, DEFAULT_ORIGINS, ORIGINS, Country
from mobility_warehouse.snapshot.limesurvey_responses import unit
from mobility_warehouse.sources.codes import known_codes

PUBLICATION = Publication(
    source="nhwa",
    publisher="this project",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    attribution="Synthetic accounts made by this project; no country reported any of this.",
)
YEARS = range(2019, 2024)
MATRIX_YEARS = (2021, 2022, 2023)
OTHER_COUNTRY = "Other country"

#: Names that the form's matrix keeps although the countries have others by now.
NAMES_OF_ITS_TIME = {
    "SWZ": "Swaziland",
    "CZE": "Czech Republic",
    "TUR": "Turkey",
    "MKD": "The former Yugoslav republic of Macedonia",
}
_REFERENCE = Path(__file__).resolve().parents[1] / "sources" / "reference" / "nhwa_codes.csv"
_SEEDS = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds" / "nhwa"
_OFFICES = {"AFR": "AFRO", "AMR": "AMRO", "EMR": "EMRO", "EUR": "EURO", "SEAR": "SEARO", "WPR": "WPRO"}
_COMBOS = {
    "default": {"default": "default"},
    "SEX": {"SEX_F": "Female", "SEX_M": "Male"},
    "AGE": {
        "AGE_LT25": "<25",
        "AGE_25_34": "25-34",
        "AGE_35_44": "35-44",
        "AGE_45_54": "45-54",
        "AGE_55_64": "55-64",
        "AGE_GT65": ">65",
    },
}
_AGE_SHARES = (0.05, 0.29, 0.27, 0.2, 0.14, 0.05)
#: Size of an occupation as a share of the doctors or nurses of the country.
_SIZES: Mapping[str, tuple[str, float]] = {
    "221": ("doctors", 1.0),
    "2211": ("doctors", 0.4),
    "2212": ("doctors", 0.55),
    "2221+3221": ("nurses", 1.0),
    "2221": ("nurses", 0.7),
    "3221": ("nurses", 0.3),
    "2222+3222": ("doctors", 0.12),
    "2222": ("doctors", 0.09),
    "3222": ("doctors", 0.03),
    "2261": ("doctors", 0.3),
    "2262": ("doctors", 0.4),
    "2240": ("doctors", 0.1),
    "3253": ("nurses", 0.2),
    "532": ("nurses", 0.5),
    "5321": ("nurses", 0.25),
    "5322": ("nurses", 0.15),
    "5329": ("nurses", 0.1),
    "": ("doctors", 0.02),
}
_FULL = frozenset({"221", "2221+3221", "2222+3222", "2261", "2262"})

Record = dict[str, Any]


def uid(*what: object) -> str:
    """Eleven letters and digits, the first a letter, as DHIS2 makes them; the same for the same thing."""
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    digest = hashlib.blake2b("|".join(map(str, what)).encode(), digest_size=11).digest()
    return alphabet[digest[0] % 52] + "".join(alphabet[byte % 62] for byte in digest[1:])


@cache
def _seed(name: str) -> tuple[dict[str, str], ...]:
    with (_SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(csv.DictReader(lines))


@cache
def _names_today() -> dict[str, str]:
    with _REFERENCE.open(encoding="utf-8", newline="") as lines:
        return {row["code"]: row["name"] for row in csv.DictReader(lines) if row["code_type"] == "iso3"}


@cache
def country_names() -> dict[str, str]:
    """Names in the matrix of countries of training by ISO 3166-1 alpha-3 code, "Other country" last."""
    return {**_names_today(), **NAMES_OF_ITS_TIME, "": OTHER_COUNTRY}


@cache
def _elements() -> dict[str, Record]:
    """Every data element by name, with what the builder knows of it under ``seed``."""
    found: dict[str, Record] = {}
    for number, seed in enumerate(_seed("nhwa_data_element"), 1):
        combo = {"by_sex": "SEX", "by_age": "AGE"}.get(seed["measure"], "default")
        kind = {"existence": "TEXT", "source": "TRUE_ONLY"}.get(seed["subject"], "INTEGER_ZERO_OR_POSITIVE")
        found[seed["element_name"]] = _element(f"NHWA_DE_{number:04}", seed["element_name"], kind, combo)
        found[seed["element_name"]]["seed"] = seed
    for matrix in _seed("nhwa_training_matrix"):
        short = "MD" if matrix["occupation_code"] == "221" else "NUR"
        for iso3, name in country_names().items():
            element = _element(
                f"NHWA_FT_{short}_{iso3 or 'OTH'}",
                f"{matrix['name_prefix']} {name}",
                "INTEGER_ZERO_OR_POSITIVE",
                "default",
            )
            found[element["name"]] = element
    return found


def _element(code: str, name: str, value_type: str, combo: str) -> Record:
    return {
        "code": code,
        "id": uid("element", code),
        "name": name,
        "shortName": name.removeprefix("NHWA_")[:50],
        "valueType": value_type,
        "domainType": "AGGREGATE",
        "aggregationType": "NONE" if value_type in ("TEXT", "TRUE_ONLY") else "SUM",
        "categoryCombo": {"code": combo},
        "lastUpdated": "2022-01-17T08:00:00.000+0000",
    }


def _data_sets() -> list[Record]:
    """Module 1 in two editions that share their elements, and the modules of existence items."""

    def module(element: Record) -> str:
        seed = element.get("seed", {})
        return seed["indicator_code"].split("-")[0] if seed.get("indicator_code") else "1"

    sets = {
        "NHWA-M1": ("NHWA Module 1 Active health workforce stock", "1"),
        "NHWA-M1-2023": ("NHWA Module 1 Active health workforce stock (2023)", "1"),
        "NHWA-M2-2023": ("NHWA Module 2 Education and training (2023)", "2"),
        "NHWA-M3": ("NHWA Module 3 Education and training regulation and accreditation", "3"),
        "NHWA-M9": ("NHWA Module 9 Governance and health workforce policies", "9"),
        "NHWA-M10": ("NHWA Module 10 Health workforce information systems", "10"),
    }
    return [
        {
            "code": code,
            "id": uid("data set", code),
            "name": name,
            "periodType": "Yearly",
            "dataSetElements": [
                {"dataElement": {"code": element["code"]}}
                for element in _elements().values()
                if module(element) == number
            ],
            "lastUpdated": "2023-02-01T08:00:00.000+0000",
        }
        for code, (name, number) in sets.items()
    ]


def _organisation_units() -> list[Record]:
    def unit_record(code: str, name: str, level: int, parent: str | None) -> Record:
        record = {"code": code, "id": uid("unit", code), "name": name, "level": level}
        if parent is not None:
            record["parent"] = {"code": parent}
        return {
            **record,
            "openingDate": "1948-04-07T00:00:00.000",
            "lastUpdated": "2022-01-17T08:00:00.000+0000",
        }

    with _REFERENCE.open(encoding="utf-8", newline="") as lines:
        groups = {row["code"]: row["name"] for row in csv.DictReader(lines) if row["code_type"] == "group"}
    offices = {
        row["country_iso3"]: _OFFICES[row["who_region"]]
        for row in _seed("../reference/who_member_state")
        if row["valid_to"].startswith("9999")
    }
    return [
        *(
            unit_record(code, name, 1 if code == "WHO" else 2, None if code == "WHO" else "WHO")
            for code, name in groups.items()
        ),
        *(
            # The tree has the names of today; those of its time are in the form's matrix alone.
            unit_record(iso3, _names_today()[iso3], 3, offices[iso3])
            for iso3 in sorted(known_codes("nhwa", "iso3"))
        ),
    ]


def _indicators() -> list[Record]:
    names = {(row["handbook_edition"], row["indicator_code"]): row["name"] for row in _seed("nhwa_indicator")}
    return [
        {
            "code": row["dhis2_code"],
            "id": uid("indicator", row["dhis2_code"]),
            "name": f"{row['indicator_code']} {names[row['handbook_edition'], row['indicator_code']]} "
            f"({row['dhis2_code'].rsplit('-', 1)[1]})",
            "indicatorType": {"name": "Per cent", "factor": 100},
            "numeratorDescription": "Stock of the share",
            "denominatorDescription": "Stock, total",
            "lastUpdated": "2022-01-17T08:00:00.000+0000",
        }
        for row in _seed("nhwa_computed_indicator")
    ]


# -- values ----------------------------------------------------------------------------------------


def stock_of(country: Country, occupation: str, year: int) -> dict[str, int]:
    """The account of one occupation by measure, before anything is left out; the parts add up."""
    base, factor = _SIZES[occupation]
    rate = country.doctors if base == "doctors" else country.nurses
    growth = 1 + 0.022 * (year - 2021) + 0.06 * (unit(country.iso3, occupation, "nhwa size") - 0.5)
    total = round(rate * factor * country.population * 100 * growth)
    share = country.foreign_nurses if base == "nurses" else country.foreign_doctors
    foreign = round(total * min(0.97, share * (1 + 0.03 * (year - 2021)) * (1 if factor >= 0.4 else 0.4)))
    unknown = round(total * 0.05) if unit(country.iso3, occupation, "nhwa unknown") < 0.4 else 0
    born = min(total, round(foreign * (0.8 + 0.5 * unit(country.iso3, occupation, "nhwa born"))))
    public = round(total * (0.4 + 0.5 * unit(country.iso3, "public")))
    not_for_profit = round((total - public) * 0.3)
    hospitals = round(total * 0.6)
    return {
        "total": total,
        "practising": round(total * 0.93),
        "professionally_active": round(total * 0.97),
        "licensed": round(total * 1.12),
        "domestic_trained": max(0, total - foreign - unknown),
        "foreign_trained": foreign,
        "unknown_training": unknown,
        "national_born": total - born,
        "foreign_born": born,
        "public": public,
        "private_not_for_profit": not_for_profit,
        "private_for_profit": total - public - not_for_profit,
        "facility_hp_1": hospitals,
        "facility_hp_2": round(total * 0.08),
        "facility_hp_3": round(total * 0.25),
        "facility_hp_4": round(total * 0.03),
        "facility_hp_5": 0,
        "facility_hp_6": round(total * 0.04),
    }


def _stock_values(country: Country, year: int) -> Iterator[tuple[str, str, str]]:
    """Element name, combination and value of one country and year, with the gaps of real forms.

    In the second line of each case: which of the activity levels is there when the total is not.
    """
    for name, element in _elements().items():
        seed = element.get("seed")
        if seed is None or seed["subject"] != "stock":
            continue
        occupation, measure = seed["occupation_code"], seed["measure"]
        kept = 0.92 if occupation in _FULL else 0.3
        if unit(country.iso3, occupation or seed["element_name"], "nhwa kept") > kept:
            continue
        account = stock_of(country, occupation, year)
        draw = unit(country.iso3, occupation, year, "nhwa total")
        if measure in ("total", "practising", "professionally_active", "licensed"):
            yield from ((name, "default", text) for text in _level(measure, account, draw))
        elif measure == "by_sex":
            women = round(account["total"] * (0.45 if _SIZES[occupation][0] == "doctors" else 0.85))
            yield name, "SEX_F", str(women)
            yield name, "SEX_M", str(account["total"] - women)
        elif measure == "by_age":
            if unit(country.iso3, "nhwa age") < 0.4:
                for combo, share in zip(_COMBOS["AGE"], _AGE_SHARES, strict=True):
                    yield name, combo, str(round(account["total"] * share))
        elif _tells(country, measure):
            yield name, "default", str(account[measure])


def _level(measure: str, account: Mapping[str, int], draw: float) -> list[str]:
    """What the form holds of the total and the activity levels: the total is missing in 14% of accounts."""
    if measure == "total":
        return [] if draw < 0.14 else [f"{account[measure]}.0" if draw > 0.99 else str(account[measure])]
    if draw < 0.03:
        # A zero where nothing is known, then the level that is.
        return {"practising": ["0"], "professionally_active": [str(account[measure])]}.get(measure, [])
    if draw < 0.05:
        return [str(account[measure])] if measure == "licensed" else []
    if draw < 0.07:
        return []
    if draw < 0.14 or draw > 0.5:
        return [str(account[measure])] if measure == "practising" else []
    return [str(account[measure])]


def _tells(country: Country, measure: str) -> bool:
    chances = {
        "domestic_trained": 0.75,
        "foreign_trained": 0.75,
        "unknown_training": 0.75,
        "national_born": 0.45,
        "foreign_born": 0.45,
    }
    group = "training" if measure.endswith(("trained", "training")) else measure[:6]
    return unit(country.iso3, group, "nhwa tells") < chances.get(measure, 0.35)


def _matrix_values(country: Country, year: int) -> Iterator[tuple[str, str, str]]:
    """Stock by country of training; a little less than the foreign-trained, now and then more."""
    if not country.hosts or unit(country.iso3, "nhwa matrix") > 0.8:
        return
    names = country_names()
    excess = 1.5 if unit(country.iso3, year, "nhwa excess") < 0.04 else 1.0
    for matrix in _seed("nhwa_training_matrix"):
        foreign = stock_of(country, matrix["occupation_code"], year)["foreign_trained"]
        left = foreign
        for place, origin in enumerate(ORIGINS.get(country.iso3, DEFAULT_ORIGINS), 1):
            tilt = 0.9 + 0.2 * unit(country.iso3, origin, matrix["occupation_code"], "nhwa")
            value = round(foreign * excess * 0.72 * tilt / 2**place)
            left -= value
            if origin != country.iso3:
                yield f"{matrix['name_prefix']} {names[origin]}", "default", str(value)
        if left > 0:
            yield f"{matrix['name_prefix']} {OTHER_COUNTRY}", "default", str(round(left * 0.8))


def _other_values(country: Country, year: int) -> Iterator[tuple[str, str, str]]:
    """Existence items, of which few say Partial, and the ticked sources."""
    for name, element in _elements().items():
        seed = element.get("seed")
        if seed is None or seed["subject"] not in ("existence", "source"):
            continue
        draw = unit(country.iso3, name, year // 2, "nhwa item")
        if seed["subject"] == "source":
            if draw < 0.2:
                yield name, "default", "true"
        elif unit(country.iso3, seed["indicator_code"], "nhwa answered") < 0.8:
            yield name, "default", "Yes" if draw < 0.5 else "Partial" if draw < 0.7 else "No"


@cache
def data_values(vintage: int) -> tuple[Record, ...]:
    """Every value of a vintage; the second holds revisions, gained values, and deleted ones marked so."""
    records = []
    for country in COUNTRIES:
        for year in YEARS:
            values = [*_stock_values(country, year), *_other_values(country, year)]
            if year in MATRIX_YEARS:
                values += _matrix_values(country, year)
            for name, combo, text in values:
                record = _data_value(country.iso3, year, name, combo, text, vintage)
                if record is not None:
                    records.append(record)
    order = ("orgUnit", "period", "dataElement", "categoryOptionCombo")
    return tuple(sorted(records, key=lambda record: [record[name] for name in order]))


def _data_value(iso3: str, year: int, name: str, combo: str, text: str, vintage: int) -> Record | None:
    element = _elements()[name]
    draw = unit(iso3, year, name, combo, "nhwa vintage")
    is_gained = year == YEARS[-1] and draw > 0.96
    if vintage == 1 and is_gained:
        return None
    # A form is filled in one sitting.
    seconds = int(unit(iso3, year, "nhwa time") * 180 * 86_400)
    stamp = _stamp(year + 1 if year < YEARS[-1] else year, seconds)
    record: Record = {
        "dataElement": element["code"],
        "period": str(year),
        "orgUnit": iso3,
        "categoryOptionCombo": combo,
        "attributeOptionCombo": "default",
        "value": text,
        "storedBy": f"focal.point.{iso3.lower()}",
        "created": stamp,
        "lastUpdated": stamp,
    }
    if draw < 0.004:
        record["comment"] = "Provisional (synthetic comment)"
    record["followup"] = 0.010 <= draw < 0.011
    if vintage == 2:
        later = _stamp(2024, 190 * 86_400 + seconds % (60 * 86_400))
        if is_gained:
            record |= {"created": later, "lastUpdated": later}
        elif 0.02 <= draw < 0.03 and text.isdecimal():
            record |= {"value": str(round(int(text) * 1.02) + 1), "lastUpdated": later}
        elif 0.03 <= draw < 0.034:
            record |= {"deleted": True, "lastUpdated": later}
    return record


def _stamp(year: int, seconds: int) -> str:
    day, second = divmod(seconds, 86_400)
    month, day = divmod(day, 28)
    hours, second = divmod(second, 3_600)
    return f"{year}-{month + 1:02}-{day + 1:02}T{hours:02}:{second // 60:02}:{second % 60:02}.000+0000"


def indicator_values(vintage: int) -> list[Record]:
    """What analytics gives: shares in per cent with one decimal, from the values of the vintage."""
    values = {
        (record["orgUnit"], record["period"], record["dataElement"], record["categoryOptionCombo"]): float(
            record["value"]
        )
        for record in data_values(vintage)
        if not record.get("deleted") and record["value"].replace(".", "").isdecimal()
    }
    codes = {
        (element["seed"]["occupation_code"], element["seed"]["measure"]): element["code"]
        for element in _elements().values()
        if element.get("seed", {}).get("subject") == "stock"
    }
    parts = {
        "1-04": ("by_sex", "SEX_F"),
        "1-07": ("foreign_born", "default"),
        "1-08": ("foreign_trained", "default"),
    }
    figures = []
    for row in _seed("nhwa_computed_indicator"):
        measure, combo = parts[row["indicator_code"]]
        for country in COUNTRIES:
            for year in YEARS:
                place = (country.iso3, str(year))
                part = values.get((*place, codes[row["occupation_code"], measure], combo))
                total = values.get((*place, codes[row["occupation_code"], "total"], "default"))
                if part is not None and total:
                    share = round(part * 100 / total, 1)
                    figures.append(
                        {"dx": row["dhis2_code"], "pe": place[1], "ou": place[0], "value": str(share)}
                    )
    return figures


def build(input_directory: Path) -> Sequence[BuiltResource]:
    """Metadata of both vintages, values and indicators of each; ``input_directory`` is not read."""
    combos = [
        {
            "code": code,
            "id": uid("combo", code),
            "name": name,
            "categoryCombo": {"code": combo},
            "lastUpdated": "2022-01-17T08:00:00.000+0000",
        }
        for combo, members in _COMBOS.items()
        for code, name in members.items()
    ]
    elements = [
        {key: value for key, value in element.items() if key != "seed"} for element in _elements().values()
    ]
    metadata = {
        "dataSets": _data_sets(),
        "dataElements": elements,
        "categoryOptionCombos": combos,
        "organisationUnits": _organisation_units(),
        "indicators": _indicators(),
    }
    return [
        *(
            _resource(name, (1, 2), sorted(records, key=lambda record: str(record["code"])))
            for name, records in metadata.items()
        ),
        *(_resource("dataValues", (vintage,), data_values(vintage)) for vintage in (1, 2)),
        *(_resource("analytics", (vintage,), indicator_values(vintage)) for vintage in (1, 2)),
    ]


def _resource(name: str, vintages: tuple[int, ...], records: Sequence[Record]) -> BuiltResource:
    suffix = "" if len(vintages) > 1 else f".vintage-{vintages[0]}"
    return BuiltResource(
        publication=PUBLICATION,
        resource=name,
        vintages=vintages,
        path=f"nhwa/{name}{suffix}.jsonl.zst",
        title=f"National Health Workforce Accounts, {name} (synthetic)",
        source_url="",
        published=None,
        retrieved="",
        processing="Made up by the project: chance is a hash of country, year and element; codes and UIDs "
        "are invented, names of data elements follow WHO's entry form as far as it is known.",
        inputs=(),
        records=records,
        synthetic=True,
    )
