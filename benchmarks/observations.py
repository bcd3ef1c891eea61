"""Observations in the wire shape of the Global Health Observatory: 25 fields, about 570 bytes a record."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator

from mobility_warehouse.sources.codes import known_codes

INDICATOR = "HWF_0001"
RECORDS_PER_PAGE = 10_000
#: Every hundredth record is revised.
REVISED_EVERY = 100

_SEXES = ("SEX_BTSX", "SEX_FMLE", "SEX_MLE")
_AGES = tuple(f"AGEGROUP_YEARS{start:02d}-{start + 4:02d}" for start in range(0, 100, 5))
_YEARS = range(1990, 2024)
_REGIONS = (
    ("AFR", "Africa"),
    ("AMR", "Americas"),
    ("EMR", "Eastern Mediterranean"),
    ("EUR", "Europe"),
    ("SEAR", "South-East Asia"),
    ("WPR", "Western Pacific"),
)
# Coprime to the number of combinations: walks through all of them in no visible order, as the publisher does.
_STRIDE = 7_368_787


class State(enum.StrEnum):
    """What the publisher serves: the first state, its refresh, or one that revised a record in 100."""

    FIRST = "first"
    REFRESHED = "refreshed"
    REVISED = "revised"


_DATES = {
    State.FIRST: "2023-02-16T07:52:34+01:00",
    State.REFRESHED: "2024-03-18T09:10:11+01:00",
    State.REVISED: "2025-01-20T10:20:30+01:00",
}
_FIRST_IDS = {State.FIRST: 4_000_000, State.REFRESHED: 5_000_000, State.REVISED: 6_000_000}


def page(state: State, number: int, pages: int, next_link: str | None) -> bytes:
    """One page of ``pages``, without line breaks, as the API writes it; the first states the count.

    A refresh gives every record another ``Id`` and ``Date``; the revised state another value, too, to every
    hundredth record.
    """
    count = f'"@odata.count":{pages * RECORDS_PER_PAGE},' if number == 0 else ""
    link = f',"@odata.nextLink":"{next_link}"' if next_link else ""
    records = ",".join(_records(state, number))
    context = f"https://ghoapi.azureedge.net/api/$metadata#{INDICATOR}"
    return f'{{"@odata.context":"{context}",{count}"value":[{records}]{link}}}'.encode()


def _records(state: State, number: int) -> Iterator[str]:
    countries = sorted(known_codes("who_gho", "COUNTRY"))
    combinations = len(countries) * len(_YEARS) * len(_SEXES) * len(_AGES)
    figures = random.Random(number)
    date, first_id = _DATES[state], _FIRST_IDS[state]
    for position in range(number * RECORDS_PER_PAGE, (number + 1) * RECORDS_PER_PAGE):
        batch, combination = divmod(position, combinations)
        rest, country = divmod(combination * _STRIDE % combinations, len(countries))
        rest, year = divmod(rest, len(_YEARS))
        age, sex = divmod(rest, len(_SEXES))
        year += _YEARS.start
        region, region_name = _REGIONS[country % len(_REGIONS)]
        value = round(figures.uniform(0, 100), 5)
        if state is State.REVISED and position % REVISED_EVERY == 0:
            value = round(value + 1, 5)
        if figures.random() < 0.6:
            low, high = f"{value * 0.9:.5f}", f"{value * 1.1:.5f}"
            shown = f"{value:.1f} [{value * 0.9:.1f}-{value * 1.1:.1f}]"
        else:
            low, high, shown = "null", "null", f"{value:.1f}"
        comment = '"National Health Workforce Accounts, \\u201cregistry\\u201d"' if age == 0 else "null"
        source = (
            f'"DATASOURCE","DataSourceDim":"DATASOURCE_{batch}"' if batch else 'null,"DataSourceDim":null'
        )
        yield (
            f'{{"Id":{first_id + position},"IndicatorCode":"{INDICATOR}","SpatialDimType":"COUNTRY",'
            f'"SpatialDim":"{countries[country]}","ParentLocationCode":"{region}","TimeDimType":"YEAR",'
            f'"ParentLocation":"{region_name}","Dim1Type":"SEX","Dim1":"{_SEXES[sex]}","TimeDim":{year},'
            f'"Dim2Type":"AGEGROUP","Dim2":"{_AGES[age]}","Dim3Type":null,"Dim3":null,'
            f'"DataSourceDimType":{source},"Value":"{shown}","NumericValue":{value!r},"Low":{low},'
            f'"High":{high},"Comments":{comment},"Date":"{date}","TimeDimensionValue":"{year}",'
            f'"TimeDimensionBegin":"{year}-01-01T00:00:00+01:00",'
            f'"TimeDimensionEnd":"{year}-12-31T00:00:00+01:00"}}'
        )
