"""The questions on articles 1 to 5, safeguards and agreements against plain Python on the snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import combinations, product
from statistics import median

import pytest

from tests.docs.asking import answer, columns_of
from tests.docs.snapshot_figures import (
    AgreementReport,
    Response,
    agreement_reports,
    agreements,
    any_true,
    country_called,
    country_name,
    member_states,
    plain_number,
    records,
    reports,
    reports_of,
    rounds,
    safeguards_list,
    seed,
)
from tests.docs.snapshot_mobility import (
    Figure,
    Key,
    grouped,
    nhwa_figures,
    nhwa_values,
    oecd_figures,
    origins_in_sums,
    report_figures,
    source_rank,
    totals,
    world_bank,
)
from tests.published import Published

Share = float | None


def share(part: int, whole: int, digits: int = 3) -> Share:
    """part / whole rounded, None over nothing."""
    return round(part / whole + 1e-12, digits) if whole else None


def earlier_report(country: str, round_year: int, *, asks: str) -> Response | None:
    """The country's latest earlier report whose round asks about an item."""
    asked = [
        report
        for (reporter, year), report in reports().items()
        if reporter == country and year < round_year and report.of(asks)
    ]
    return max(asked, key=lambda report: report.round_year, default=None)


# -- articles 1 to 3 -----------------------------------------------------------------------------------


def test_q01_concerns_risen(published: Published) -> None:
    expected = []
    for country, report in reports_of(2024).items():
        for cell in report.of("ctx_concern"):
            earlier = max(
                (
                    (year, before.code("ctx_concern", cell.part))
                    for (reporter, year), before in reports().items()
                    if reporter == country and year < 2024 and before.of("ctx_concern", cell.part)
                ),
                default=(None, None),
            )
            if cell.code == "increased":
                change = {None: "no earlier answer", "increased": "increased again"}
                expected.append(
                    (cell.part, country, 2024, *earlier, change.get(earlier[1], "newly increased"), True)
                )
    rows = answer(published.analyst, "q01_concerns_risen")
    columns = ("concern", "country_iso3", "round_year", "previous_round_year", "previous_answer", "change")
    assert columns_of(rows, *columns, "is_synthetic") == sorted(expected)


@pytest.mark.parametrize(
    ("indicator", "item", "part", "said"),
    [
        ("reliance_increased", "ctx_concern", "reliance", "increased"),
        ("out_migration_increased", "ctx_concern", "out_migration", "increased"),
        ("temporary_migration_increased", "ctx_concern", "temporary_migration", "increased"),
        ("emigrant_diaspora", "emigrant_measures", "diaspora", "yes"),
    ],
)
def test_q02_safeguards_countries_and_others(
    published: Published, indicator: str, item: str, part: str, said: str
) -> None:
    expected = []
    for held in rounds().values():
        if held.safeguards_edition is None:
            continue
        regions = member_states(held.closed_on)
        for region in sorted(set(regions.values())):
            group = [
                (held.safeguards_status(country), report.code(item, part))
                for country, report in reports_of(held.year).items()
                if regions[country] == region
            ]
            listed, others = (
                [code for status, code in group if status == kind] for kind in ("listed", "not_listed")
            )
            known = [[code for code in codes if code is not None] for codes in (listed, others)]
            # Below half of those that reported no share is shown.
            shares = [
                share(answered.count(said), len(answered)) if 2 * len(answered) >= len(codes) else None
                for answered, codes in zip(known, (listed, others), strict=True)
            ]
            if known[0] or known[1]:
                expected.append((held.year, region, len(known[0]), shares[0], len(known[1]), shares[1]))
    rows = [
        row
        for row in answer(published.analyst, "q02_safeguards_countries_and_others")
        if row["indicator"] == indicator
    ]
    columns = ("round_year", "who_region", "listed_answers", "listed_share", "other_answers", "other_share")
    assert sorted(columns_of(rows, *columns)) == sorted(expected)
    for row in rows:
        listed_share, other_share = row["listed_share"], row["other_share"]
        if isinstance(listed_share, float) and isinstance(other_share, float):
            assert row["difference_points"] == pytest.approx(100 * (listed_share - other_share), abs=0.11)
        else:
            assert row["difference_points"] is None


def test_regions_are_those_of_the_day() -> None:
    assert member_states(date(2022, 5, 31))["IDN"] == "SEAR"
    assert member_states(date(2025, 5, 31))["IDN"] == "WPR"


# -- article 4 -----------------------------------------------------------------------------------------


def guarantees(report: Response) -> dict[str, str | None]:
    """Which guarantees a report gives those the country hosts; none where it hosts nobody."""
    if report.code("legal_safeguards", "host") != "yes":
        return {}
    return {cell.part: cell.code for cell in report.of("legal_safeguards") if cell.kind == "tick"}


def test_q03_guarantees_of_hosts(published: Published) -> None:
    articles = {"informed_decision": "4.3", "objective_pay": "4.4", "equal_rights": "4.5"}
    expected = []
    for guarantee, article in articles.items():
        for round_year in rounds():
            said, comparable, dropped = [], 0, []
            for country, report in reports_of(round_year).items():
                if not guarantees(report):
                    continue
                now = guarantees(report)[guarantee]
                said.append(now)
                before = earlier_report(country, round_year, asks="legal_safeguards")
                earlier = guarantees(before).get(guarantee) if before else None
                comparable += now is not None and earlier is not None
                if (earlier, now) == ("yes", "no"):
                    dropped.append(country)
            known = [code for code in said if code]
            expected.append(
                (
                    guarantee,
                    article,
                    round_year,
                    len(said),
                    len(known),
                    known.count("yes"),
                    share(known.count("yes"), len(known)),
                    comparable,
                    len(dropped),
                    sorted(dropped),
                    True,
                )
            )
    rows = answer(published.analyst, "q03_guarantees_of_hosts")
    assert [tuple(row.values()) for row in rows] == expected


def ratified(convention: str, country: str, day: date) -> str:
    """yes, no or unknown: whether the country is known to have ratified by a day.

    Who is missing from a complete list has not ratified; from a partial one it is unknown. Where only a span
    of days is known, it is unknown within it.
    """
    (instrument,) = [row for row in seed("ilo_instrument") if row["instrument"] == convention]
    row = next(
        (
            row
            for row in seed("ilo_ratification")
            if row["instrument"] == convention and row["country_iso3"] == country
        ),
        None,
    )
    if row is None:
        return "no" if instrument["completeness"] == "complete" else "unknown"
    assert row["denounced_on"] == ""
    if day >= date.fromisoformat(row["ratified_latest"]):
        return "yes"
    return "no" if day < date.fromisoformat(row["ratified_earliest"]) else "unknown"


def test_q04_claims_without_ratification(published: Published) -> None:
    expected = []
    latest = {country: report for (country, _), report in sorted(reports().items())}
    for country, report in latest.items():
        claims = [
            guarantee
            for guarantee in ("informed_decision", "objective_pay")
            if guarantees(report).get(guarantee) == "yes"
        ]
        if report.code("emigrant_measures", "fair_recruitment") == "yes":
            claims.append("fair_recruitment")
        closed_on = rounds()[report.round_year].closed_on
        states = {
            convention: ratified(
                convention,
                country,
                min(closed_on, date(2022, 12, 31)) if convention == "C149" else closed_on,
            )
            for convention in ("C097", "C143", "C149", "C181")
        }
        if claims and "yes" not in states.values():
            expected.append(
                (
                    country,
                    report.round_year,
                    sorted(claims),
                    [convention for convention, state in states.items() if state == "no"],
                    [convention for convention, state in states.items() if state == "unknown"],
                    date(2023, 1, 1),
                )
            )
    rows = answer(published.analyst, "q04_claims_without_ratification")
    columns = ("country_iso3", "round_year", "claims", "not_ratified", "unknown", "c149_known_to")
    assert columns_of(rows, *columns) == sorted(expected, key=lambda row: (-row[1], row[0]))


def stakeholder_codes(survey_id: str, record: dict[str, str | None]) -> dict[tuple[str, str, str], str]:
    """What a stakeholder's contribution answers, by item, part and mention."""
    options = {
        (row["question_code"], row["option_code"]): row["meaning"]
        for row in seed("stakeholder_option")
        if row["survey_id"] == survey_id
    }
    return {
        (row["canonical_item"], row["canonical_part"], row["measure"]): options.get(
            (row["question_code"], raw), raw
        )
        for row in seed("stakeholder_question")
        if row["survey_id"] == survey_id and (raw := record.get(row["heading"]))
    }


def test_q05_stakeholders_against_countries(published: Published) -> None:
    articles = {
        row["code_article"]
        for row in seed("stakeholder_field_article")
        if row["field"] == "2" and row["code_version"] == "2010"
    }
    surveys = {row["survey_id"]: int(row["round_year"]) for row in seed("stakeholder_question")}
    expected = []
    for survey_id, round_year in surveys.items():
        for record in records("stakeholders", f"response_{survey_id}"):
            said = stakeholder_codes(survey_id, record)
            applies, practice = (said.get(("field_2", part, "")) for part in ("applies", "practice"))
            if not record["submitdate"] or applies == "N" or practice != "concern":
                continue
            for (item, part, measure), name in said.items():
                country = country_called(name) if (item, part) == ("field_2", "country") else None
                report = reports().get((country or "", round_year))
                if country is None or report is None:
                    continue
                asked = [
                    cell
                    for cell in report.cells
                    if cell.article in articles and cell.kind in ("yes_no", "tick")
                ]
                answered = [cell.code for cell in asked if cell.code]
                if "yes" in answered:
                    expected.append(
                        (
                            round_year,
                            country,
                            said.get(("stakeholder", "stakeholder_type", "")),
                            len(asked),
                            len(answered),
                            answered.count("yes"),
                            int(survey_id),
                            int(record["id"]),
                            int(measure.removeprefix("mention_")),
                            True,
                        )
                    )
    rows = answer(published.analyst, "q05_stakeholders_against_countries")
    columns = (
        "round_year",
        "country_iso3",
        "stakeholder_type",
        "national_questions",
        "national_answers",
        "national_affirmed",
        "survey_id",
        "survey_response_id",
        "mention",
        "is_synthetic",
    )
    assert columns_of(rows, *columns) == sorted(expected, key=lambda row: (-row[0], row[1], row[7], row[8]))
    assert rows


# -- article 5: agreements -----------------------------------------------------------------------------

Agreement = tuple[AgreementReport, ...]


def parties(agreement: Agreement) -> tuple[str, ...]:
    """The parties of a distinct agreement, sorted."""
    return agreement[0].parties


def union(sets: Iterable[Iterable[str]]) -> list[str]:
    """All members of all sets, sorted."""
    return sorted({member for members in sets for member in members})


def last_year(agreement: Agreement) -> int | None:
    """The latest last year that any report gives."""
    return max((report.valid_to for report in agreement if report.valid_to), default=None)


def reporters(agreement: Agreement) -> list[str]:
    """The parties that report it."""
    return sorted({report.country for report in agreement})


#: The ministries that the shipped answers name, and the code of each.
MINISTRIES = {
    "Health": "health",
    "Labour": "labour",
    "Foreign Affairs": "foreign_affairs",
    "Education": "education",
    "Trade": "trade",
    "Interior": "immigration",
}


def test_q06_agreements_active(published: Published) -> None:
    year = max(held.closed_on for held in rounds().values()).year
    active = [
        agreement
        for agreement in agreements()
        if (agreement[0].valid_from or 9999) <= year and (last_year(agreement) or 9999) >= year
    ]
    groups: dict[tuple[str, str], list[Agreement]] = {}
    for agreement in active:
        pairs = [f"{one}-{other}" for one, other in combinations(parties(agreement), 2)]
        signed = sorted({MINISTRIES[report.ministry] for report in agreement if report.ministry})
        occupations = union(report.occupations for report in agreement)
        for grouping, values in (
            ("all", ["all"]),
            ("occupation", occupations),
            ("corridor", pairs),
            ("ministry", signed),
        ):
            for value in values:
                groups.setdefault((grouping, value), []).append(agreement)
    expected = {
        (
            year,
            *group,
            len(members),
            sum(last_year(each) is None for each in members),
            sum(len(reporters(each)) > 1 for each in members),
            sum(not each[0].all_partners_known for each in members),
            True,
        )
        for group, members in groups.items()
    }
    rows = answer(published.analyst, "q06_agreements_active")
    assert {tuple(row.values()) for row in rows} == expected
    assert len(rows) == len(expected)
    order = [(row["grouped_by"], -int(str(row["agreements"])), row["value"]) for row in rows]
    assert order == sorted(
        order,
        key=lambda row: (("all", "occupation", "corridor", "ministry").index(str(row[0])), row[1], row[2]),
    )


def test_q07_agreement_elements(published: Published) -> None:
    named = {
        "code_reference": "code reference",
        "co_benefit": "benefit for both health systems",
        "source_safeguard": "safeguard for the source country",
    }
    counted: dict[tuple[str, int | None], list[list[AgreementReport]]] = {
        ("distinct", None): [list(agreement) for agreement in agreements()]
    }
    for report in agreement_reports():
        counted.setdefault(("notified", report.round_year), []).append([report])
    expected = []
    for (counted_as, round_year), members in counted.items():
        for element, name in named.items():
            has = [any_true([report.elements[element] for report in each]) for each in members]
            known = [each for each in has if each is not None]
            expected.append(
                (
                    counted_as,
                    round_year,
                    name,
                    len(has),
                    len(known),
                    sum(known),
                    share(sum(known), len(known)),
                    True,
                )
            )
    rows = answer(published.analyst, "q07_agreement_elements")
    assert [tuple(row.values()) for row in rows] == sorted(
        expected, key=lambda row: (row[0], row[1] or 9999, row[2])
    )


def test_q08_safeguards_sources_without_investment(published: Published) -> None:
    expected = []
    for agreement in agreements():
        latest = rounds()[max(report.round_year for report in agreement)]
        listed = [party for party in parties(agreement) if latest.safeguards_status(party) == "listed"]
        benefit = any_true([report.elements["co_benefit"] for report in agreement])
        if listed and not benefit:
            others = [party for party in parties(agreement) if party not in listed]
            expected.append(
                (
                    listed,
                    others or None,
                    union(report.occupations for report in agreement),
                    agreement[0].valid_from,
                    last_year(agreement),
                    "not asked" if benefit is None else "no",
                    any_true([report.elements["source_safeguard"] for report in agreement]),
                    reporters(agreement),
                    sorted({report.round_year for report in agreement}),
                    True,
                )
            )
    rows = answer(published.analyst, "q08_safeguards_sources_without_investment")
    assert sorted(tuple(row.values())[1:] for row in rows) == sorted(expected)
    assert rows


def test_q09_agreements_of_one_party(published: Published) -> None:
    expected = []
    for agreement in agreements():
        if len(reporters(agreement)) > 1:
            continue
        told = {(report.country, report.round_year) for report in agreement}
        round_years = sorted({report.round_year for report in agreement})
        others = [party for party in parties(agreement) if party not in reporters(agreement)]
        silent = sorted({year for year in round_years for party in others if (party, year) in reports()})
        assert all((party, year) not in told for party in others for year in silent)
        if not all(report.all_partners_known for report in agreement):
            notification = "one_party_partner_unknown"
        elif silent:
            notification = "one_party_other_reports_without"
        else:
            notification = "one_party_other_did_not_report"
        expected.append(
            (
                reporters(agreement),
                others,
                notification,
                agreement[0].valid_from,
                union(report.occupations for report in agreement),
                round_years,
                silent,
                True,
            )
        )
    rows = answer(published.analyst, "q09_agreements_of_one_party")
    assert sorted(tuple(row.values())[1:] for row in rows) == sorted(expected)
    kinds = Counter(str(row["notification"]) for row in rows)
    assert len(kinds) > 1, "the shipped figures show more than one kind"


# -- articles 5 and 6: where they trained --------------------------------------------------------------


@dataclass(frozen=True)
class ForeignShare:
    """Foreign-trained or foreign-born of a destination, occupation and year, as one source has them."""

    destination: str
    occupation: str
    year: int
    basis: str
    source: str
    edition: str
    foreign: float
    is_published: bool
    known: float | None
    total: float | None
    is_synthetic: bool
    from_origins: tuple[Figure, ...]

    @property
    def known_share(self) -> Share:
        """Over those whose place is known; None where that is not reported, zero or less than the part."""
        return self.foreign / self.known if self.known and self.foreign <= self.known else None

    @property
    def total_share(self) -> Share:
        """Over all."""
        return self.foreign / self.total if self.total and self.foreign <= self.total else None

    @property
    def place(self) -> tuple[bool, bool, int]:
        """Sorts the sources of one thing, the one to choose first, but for the edition."""
        no_share = self.known_share is None and self.total_share is None
        return no_share, self.is_synthetic, source_rank("stock", self.source)


PARTS = {
    "training": ("foreign_trained", "domestic_trained", "unknown_training"),
    "birth": ("foreign_born", "national_born", "unknown_birth"),
}


@cache
def foreign_shares() -> tuple[ForeignShare, ...]:
    """Every source's foreign-trained and foreign-born with their denominators, latest editions first."""

    def key(figure: Figure) -> tuple[str, str, int, str, str]:
        return figure.destination, figure.occupation, figure.year, figure.source, figure.edition

    parts = grouped(totals(), key)
    by_origin = grouped(
        (
            figure
            for figure in (*oecd_figures(), *nhwa_figures(), *report_figures())
            if figure.origin not in (None, figure.destination)
            if figure.quantity == "stock" and figure.persons is not None
        ),
        key,
    )
    found = []
    for place in parts.keys() | by_origin.keys():
        for basis, names in PARTS.items():
            figures = [figure for figure in parts.get(place, []) if figure.quantity in (*names, "total")]
            value = {figure.quantity: figure.persons for figure in figures}
            origins = by_origin.get(place, []) if basis == "training" else []
            published, domestic, unknown = (value.get(name) for name in names)
            total = value.get("total")
            foreign = published
            if foreign is None and origins:
                foreign = sum(figure.persons or 0 for figure in origins)
            if foreign is None:
                continue
            known = None
            if domestic is not None and published is not None:
                known = domestic + published
            elif total is not None and unknown is not None:
                known = total - unknown
            found.append(
                ForeignShare(
                    *place[:3],
                    basis,
                    *place[3:],
                    foreign,
                    published is not None,
                    known,
                    total,
                    any(figure.is_synthetic for figure in (*figures, *origins)),
                    tuple(origins),
                )
            )
    return tuple(sorted(found, key=lambda each: each.edition, reverse=True))


def shares_by(key: Callable[[ForeignShare], Key]) -> Mapping[Key, list[ForeignShare]]:
    """The shares by a key, latest editions first."""
    found: dict[Key, list[ForeignShare]] = {}
    for each in foreign_shares():
        found.setdefault(key(each), []).append(each)
    return found


def assert_alike(
    rows: list[dict[str, object]], expected: Iterable[tuple[object, ...]], *, keys: int, off: float
) -> None:
    """The rows are these in any order: alike in the first columns, the keys, numbers within ``off``."""
    found = {tuple(row.values())[:keys]: tuple(row.values())[keys:] for row in rows}
    wanted = {row[:keys]: row[keys:] for row in expected}
    assert len(found) == len(rows)
    assert found.keys() == wanted.keys()
    for key, values in found.items():
        for value, number in zip(values, wanted[key], strict=True):
            assert value == (pytest.approx(number, abs=off) if isinstance(number, float) else number), key


def assert_ordered(rows: list[dict[str, object]], *columns: str) -> None:
    """The rows are in the order of these columns; with a minus from the greatest, nulls last."""

    def place(row: dict[str, object]) -> list[object]:
        values = [(column.startswith("-"), row[column.lstrip("-")]) for column in columns]
        return [
            (value is None, -float(str(value)) if value is not None else 0) if descending else value
            for descending, value in values
        ]

    assert [place(row) for row in rows] == sorted(map(place, rows))


def test_q10_share_from_safeguards_countries(published: Published) -> None:
    def of_side(members: list[ForeignShare], list_edition: int, *, is_after: bool) -> ForeignShare | None:
        known = [each for each in members if each.from_origins and (each.year > list_edition) == is_after]
        return max(known, key=lambda each: (each.year, each.edition), default=None)

    def shown(last: ForeignShare | None, list_edition: int) -> tuple[int | None, Share, Share]:
        if last is None:
            return None, None, None
        persons = sum(figure.persons or 0 for figure in last.from_origins)
        from_list = sum(
            figure.persons or 0
            for figure in last.from_origins
            if figure.origin in safeguards_list(list_edition)
        )
        coverage = persons / last.foreign if last.foreign else None
        named_enough = coverage is not None and coverage >= 0.5
        return last.year, coverage, from_list / persons if named_enough else None

    expected = []
    for key, members in shares_by(lambda each: (each.occupation, each.destination, each.source)).items():
        for list_edition in (2020, 2023):
            sides = [of_side(members, list_edition, is_after=is_after) for is_after in (False, True)]
            before, after = (shown(last, list_edition) for last in sides)
            change = None if before[2] is None or after[2] is None else 100 * (after[2] - before[2])
            used = [figure for last in sides if last for figure in last.from_origins]
            if used:
                synthetic = any(figure.is_synthetic for figure in used)
                expected.append((list_edition, *key, *before, *after, change, synthetic))
    rows = answer(published.analyst, "q10_share_from_safeguards_countries")
    assert_alike(rows, expected, keys=4, off=0.006)
    assert_ordered(rows, "list_edition", "occupation_code", "-change_points", "destination_iso3", "source")
    assert any(row["change_points"] for row in rows)


def test_q11_measures_and_rising_share(published: Published) -> None:
    series: dict[tuple[str, str], dict[tuple[str, int], ForeignShare]] = {}
    for each in sorted(foreign_shares(), key=lambda each: each.is_synthetic, reverse=True):
        if each.basis == "training" and each.known_share is not None:
            # Editions come latest first, so that the first one of the last kind stays.
            years = series.setdefault((each.destination, each.occupation), {})
            standing = years.get((each.source, each.year))
            if standing is None or standing.is_synthetic > each.is_synthetic:
                years[each.source, each.year] = each
    expected = []
    for (country, round_year), report in reports().items():
        earlier_rounds = [year for reporter, year in reports() if reporter == country and year < round_year]
        measures = sorted(
            cell.part for cell in report.of("domestic_sustain") if (cell.kind, cell.code) == ("tick", "yes")
        )
        if not earlier_rounds or not measures or report.code("domestic_sustain", "any") == "no":
            continue
        for (destination, occupation), years in series.items():
            if destination != country:
                continue
            pairs = [
                (before, after)
                for before, after in product(years.values(), repeat=2)
                if before.source == after.source
                and before.year <= max(earlier_rounds) < after.year <= round_year
            ]
            if not pairs:
                continue
            before, after = min(
                pairs,
                key=lambda pair: (
                    pair[0].is_synthetic or pair[1].is_synthetic,
                    source_rank("stock", pair[0].source),
                    -pair[1].year,
                    -pair[0].year,
                ),
            )
            change = (after.known_share or 0) - (before.known_share or 0)
            if change > 0.02:
                expected.append(
                    (
                        country,
                        country_name(country),
                        round_year,
                        measures,
                        occupation,
                        after.source,
                        before.year,
                        before.known_share,
                        after.year,
                        after.known_share,
                        100 * change,
                        True,
                    )
                )
    rows = answer(published.analyst, "q11_measures_and_rising_share")

    def keyed(row: tuple[object, ...]) -> tuple[object, ...]:
        return (*row[:3], row[4], *row[5:])

    columns = [name for name in rows[0] if name != "measures"]
    assert_alike(
        [{name: row[name] for name in columns} for row in rows], map(keyed, expected), keys=4, off=0.006
    )
    assert sorted(columns_of(rows, "country_iso3", "round_year", "occupation_code", "measures")) == sorted(
        (row[0], row[2], row[4], row[3]) for row in expected
    )
    assert_ordered(rows, "-round_year", "-change_points", "country_iso3", "occupation_code")


def why_no_share(foreign: float, denominator: float | None) -> str | None:
    """Why a share is not given; None where it is."""
    if denominator is None:
        return "denominator not reported"
    if denominator == 0:
        return "denominator is zero"
    return "numerator exceeds denominator" if foreign > denominator else None


def test_q12_foreign_trained_and_born(published: Published) -> None:
    expected = []
    for key, members in shares_by(
        lambda each: (each.destination, each.occupation, each.year, each.basis)
    ).items():
        each = min(members, key=lambda member: member.place)
        if each.known_share is None and each.total_share is None:
            continue
        expected.append(
            (
                *key,
                each.source,
                each.foreign,
                "published" if each.is_published else "sum of countries of training",
                each.known,
                each.total,
                each.known_share,
                why_no_share(each.foreign, each.known),
                each.total_share,
                why_no_share(each.foreign, each.total),
                each.is_synthetic,
            )
        )
    rows = answer(published.analyst, "q12_foreign_trained_and_born")
    assert_alike(rows, expected, keys=4, off=0.006)
    # What the page shows to four places is right to four places.
    for row, share in zip(
        sorted(rows, key=lambda row: str(list(row.values())[:4])),
        sorted(expected, key=lambda row: str(list(row[:4]))),
        strict=True,
    ):
        assert row["known_origin_share"] == (None if share[9] is None else pytest.approx(share[9], abs=6e-5))


def test_q13_reports_against_accounts(published: Published) -> None:
    accounts = {
        (figure.destination, figure.occupation, figure.year, figure.quantity): figure
        for figure in nhwa_figures()
        if figure.origin is None
    }
    levels = ("practising", "professionally_active", "licensed")
    expected = []
    latest: dict[tuple[str, str, int, str], Figure] = {}
    for figure in sorted(report_figures(), key=lambda each: each.edition):
        if figure.origin is None:
            latest[figure.destination, figure.occupation, figure.year, figure.quantity] = figure
    for key, figure in latest.items():
        compared = accounts.get(key)
        if key[3] not in ("total", "foreign_trained") or compared is None:
            continue
        reported, held = figure.persons or 0.0, compared.persons or 0.0
        if abs(reported - held) <= 0.05 * held:
            continue
        measures = raw_stock()[key[:3]]
        basis = next((level for level in levels if measures.get(level)), "reported")
        expected.append(
            (
                *key,
                country_name(key[0]),
                figure.edition,
                reported,
                held,
                "reported" if "total" in measures else basis,
                reported - held,
                100 * (reported - held) / held if held else None,
                True,
            )
        )
    rows = answer(published.analyst, "q13_reports_against_accounts")
    names = ["country_iso3", "occupation_code", "year", "quantity"]
    names += [name for name in rows[0] if name not in names]
    assert_alike([{name: row[name] for name in names} for row in rows], expected, keys=4, off=0.06)


@cache
def raw_stock() -> dict[tuple[str, str, int], dict[str, float]]:
    """Stock of NHWA by country, occupation and year, each measure as reported, none repaired."""
    element = {row["element_name"]: row for row in seed("nhwa_data_element") if row["subject"] == "stock"}
    found: dict[tuple[str, str, int], dict[str, float]] = {}
    for country, year, name, value in nhwa_values():
        number = plain_number(value)
        if name in element and number is not None:
            key = (country, element[name]["occupation_code"], year)
            found.setdefault(key, {})[element[name]["measure"]] = number
    return found


# -- further questions: lists, corridors, hosts, reporting ---------------------------------------------


def test_x01_lists_of_countries(published: Published) -> None:
    day = date(2023, 12, 31)
    members: dict[str, set[str]] = {}
    for row in seed("country_list_member"):
        if date.fromisoformat(row["valid_from"]) <= day < date.fromisoformat(row["valid_to"]):
            members.setdefault(row["country_list"], set()).add(row["country_iso3"])
    now, before = safeguards_list(2023), safeguards_list(2020)
    red, amber, report = (members[name] for name in ("uk_red_2023", "uk_amber_2023", "who_whr_2006"))
    expected = [
        (
            country,
            country_name(country),
            country in now,
            country in before,
            country in red,
            country in amber,
            country in report,
            "unverified" if country in report else None,
        )
        for country in sorted((now | red | amber | report) - (now & red & report))
    ]
    rows = answer(published.analyst, "x01_lists_of_countries")
    assert [tuple(row.values()) for row in rows] == expected


def test_x02_safeguards_corridors_without_agreement(published: Published) -> None:
    year = max(held.closed_on for held in rounds().values()).year
    corridors = grouped(
        (figure for figure in origins_in_sums("stock") if figure.origin in safeguards_list(2023)),
        lambda each: (str(each.origin), each.destination, each.occupation),
    )
    expected = []
    for corridor, figures in corridors.items():
        figure = min(figures, key=lambda each: (each.is_synthetic, -each.year))
        shared = [each for each in agreements() if {*corridor[:2]} <= {*parties(each)}]
        if (figure.persons or 0) < 50:
            continue
        expected.append(
            (
                *corridor,
                figure.year,
                figure.source,
                figure.persons,
                len(shared),
                sum((last_year(each) or year) >= year for each in shared),
                sum(
                    bool(any_true([report.elements["source_safeguard"] for report in each]))
                    for each in shared
                ),
                figure.is_synthetic,
            )
        )
    rows = answer(published.analyst, "x02_safeguards_corridors_without_agreement")
    assert_alike(rows, expected, keys=5, off=0.51)
    assert any(row["agreements"] for row in rows)
    assert any(not row["is_synthetic_persons"] for row in rows)
    assert_ordered(rows, "-persons")


def test_x03_own_abroad_and_hosted(published: Published) -> None:
    expected = []
    for country, report in {country: report for (country, _), report in sorted(reports().items())}.items():
        asked = sorted(
            cell.part
            for cell in report.of("emigrant_measures")
            if cell.code == "yes" and cell.part in ("fair_recruitment", "decent_contracts", "safe_mobility")
        )
        given = guarantees(report)
        if asked and given:
            gives, misses = (
                sorted(part for part, code in given.items() if code == kind) for kind in ("yes", "no")
            )
            expected.append((country, country_name(country), report.round_year, asked, gives, misses, True))
    rows = answer(published.analyst, "x03_own_abroad_and_hosted")
    assert [tuple(row.values()) for row in rows] == sorted(expected, key=lambda row: (-len(row[5]), row[0]))


def test_x04_reports_late_or_unfinished(published: Published) -> None:
    deadlines = {row["survey_id"]: row["deadline"] for row in seed("reporting_round")}
    expected = []
    for held in rounds().values():
        headings = {
            row["canonical_part"]: row["heading"]
            for row in seed("nri_question")
            if row["survey_id"] == held.survey_id and row["canonical_item"] == "contact"
        }
        sent: dict[str, list[dict[str, str]]] = {}
        for record in records("limesurvey", f"response_{held.survey_id}"):
            country = country_called(record[headings["member_state"]] or "")
            if country:
                sent.setdefault(country, []).append(record)
        for country, responses in sent.items():
            complete = sorted(
                (record for record in responses if record["submitdate"]),
                key=lambda record: record["submitdate"],
            )
            latest = complete[-1] if complete else None
            late, edited = None, None
            if latest:
                sent_on = datetime.fromisoformat(latest["submitdate"]).date()
                late = (sent_on - date.fromisoformat(deadlines[held.survey_id])).days
                edited = latest["datestamp"] > latest["submitdate"]
            if (late or 0) > 0 or len(responses) > 1 or edited or not latest:
                expected.append(
                    (
                        held.year,
                        country,
                        country_name(country),
                        "submitted" if latest else "incomplete",
                        len(responses),
                        late,
                        edited,
                    )
                )
    rows = answer(published.analyst, "x04_reports_late_or_unfinished")
    assert sorted(map(repr, columns_of(rows, *list(rows[0])[:7]))) == sorted(map(repr, expected))
    assert all(row["is_synthetic"] for row in rows)
    assert_ordered(rows, "-round_year", "report_status", "-days_late", "country_iso3")


def test_x05_contents_of_agreements(published: Published) -> None:
    def listed(agreement: Agreement) -> bool:
        latest = rounds()[max(report.round_year for report in agreement)]
        return any(latest.safeguards_status(party) == "listed" for party in parties(agreement))

    groups = [[each for each in agreements() if listed(each) == is_listed] for is_listed in (True, False)]
    named = {
        "code_reference": "code reference",
        "ethical": "ethical considerations",
        "health_ministry": "ministry of health",
        "co_benefit": "benefit for both health systems",
        "source_safeguard": "safeguard for the source country",
    }
    expected = []
    contents = ("capacity", "circular", "education", "recognition", "recruitment", "retention", "twinning")
    for content in contents:
        counts: list[object] = []
        for group in groups:
            having = sum(any(content in report.contents for report in each) for each in group)
            counts += [len(group), having, share(having, len(group))]
        expected.append(("content", content, *counts, True))
    for element, name in named.items():
        counts = []
        for group in groups:
            known = [
                each
                for each in (
                    any_true([report.elements[element] for report in agreement]) for agreement in group
                )
                if each is not None
            ]
            counts += [len(known), sum(known), share(sum(known), len(known))]
        expected.append(("element", name, *counts, True))
    rows = answer(published.analyst, "x05_contents_of_agreements")
    assert [tuple(row.values()) for row in rows] == sorted(expected, key=lambda row: row[:2])


# -- further questions: workforce, the safeguards list, remittances ------------------------------------


@cache
def gho(indicator: str) -> dict[tuple[str, int], float]:
    """Values of an indicator of the Global Health Observatory for countries and years, not broken down."""
    countries = {row["country_iso3"] for row in seed("country")}
    return {
        (row["SpatialDim"], row["TimeDim"]): row["NumericValue"]
        for row in records("who_gho", indicator)
        if row["SpatialDim"] in countries and row["NumericValue"] is not None
        if not (row["Dim1"] or row["Dim2"] or row["Dim3"])
    }


def latest_value(
    values: Mapping[tuple[str, int], float], country: str, *, first: int = 0, last: int = 9999
) -> tuple[int, float] | None:
    """The latest year between two and its value."""
    years = [year for place, year in values if place == country and first <= year <= last]
    return (max(years), values[country, max(years)]) if years else None


def test_x11_doctors_by_region(published: Published) -> None:
    regions: dict[str, list[float]] = {}
    for country in {place for place, _ in gho("HWF_0001")}:
        found = latest_value(gho("HWF_0001"), country, first=2015)
        region = member_states(date(found[0], 12, 31)).get(country) if found else None
        if found and region:
            regions.setdefault(region, []).append(round(found[1], 2))
    expected = [
        (region, len(values), round(median(values) + 1e-9, 1), min(values), max(values))
        for region, values in regions.items()
    ]
    rows = answer(published.analyst, "x11_doctors_by_region")
    assert [tuple(row.values()) for row in rows] == sorted(expected, key=lambda row: row[2])


def test_x12_density_recomputed(published: Published) -> None:
    population = world_bank("SP.POP.TOTL")
    expected = []
    for (country, year), density in gho("HWF_0001").items():
        stock, people = gho("HWF_0002").get((country, year)), population.get((country, year))
        if year < 2015 or stock is None or not people:
            continue
        recomputed = stock * 10_000 / people
        off = (recomputed - density) / density
        if abs(off) > 0.1:
            expected.append(
                (country, country_name(country), year, density, stock, people, recomputed, 100 * off)
            )
    expected.sort(key=lambda row: (-abs(row[7]), row[0], row[2]))
    rows = answer(published.analyst, "x12_density_recomputed")
    assert_alike(rows, expected[:8], keys=3, off=0.06)
    assert columns_of(rows, "country_iso3", "year") == [(row[0], row[2]) for row in expected[:8]]


def computed_list(edition: int) -> dict[str, bool | None]:
    """Whether each Member State meets the published criteria on the data at hand; None where that is open."""
    (criteria,) = [row for row in seed("safeguards_criteria") if int(row["edition"]) == edition]
    last_density, last_index = int(criteria["last_density_year"]), int(criteria["last_uhc_index_year"])
    density: dict[str, float] = {}
    index: dict[str, float] = {}
    states = member_states(date.fromisoformat(criteria["listed_by"]))
    for country in states:
        doctors = latest_value(gho("HWF_0001"), country, last=last_density)
        nurses = latest_value(gho("HWF_0006"), country, last=last_density)
        covered = latest_value(gho("UHC_INDEX_REPORTED"), country, last=last_index)
        if doctors and nurses:
            density[country] = doctors[1] + nurses[1]
        if covered:
            index[country] = covered[1]
    middle = median(density.values())
    found: dict[str, bool | None] = {}
    for country in states:
        low = density[country] < middle if country in density else None
        weak = index[country] < float(criteria["uhc_index_threshold"]) if country in index else None
        found[country] = False if low is False or weak is False else (None if None in (low, weak) else True)
    return found


def test_x13_safeguards_list_differences(published: Published) -> None:
    expected = []
    for edition in (2020, 2023):
        for country, is_computed in computed_list(edition).items():
            is_listed = country in safeguards_list(edition)
            if is_computed is None:
                expected.append((edition, country_name(country), "not computable"))
            elif is_computed != is_listed:
                kind = "computed only" if is_computed else "published only"
                expected.append((edition, country_name(country), kind))
    rows = answer(published.analyst, "x13_safeguards_list_differences")
    assert columns_of(rows, "edition", "name", "difference") == sorted(
        expected, key=lambda row: (row[0], row[2], row[1])
    )
    assert all(row["explanation"] for row in rows)


def test_x14_safeguards_list_changes(published: Published) -> None:
    joined = sorted(safeguards_list(2023) - safeguards_list(2020), key=country_name)
    regions = member_states(date(2023, 3, 23))
    rows = answer(published.analyst, "x14_safeguards_list_changes")
    assert columns_of(rows, "name", "who_region", "is_computed") == [
        (country_name(country), regions[country], computed_list(2023)[country]) for country in joined
    ]
    for country, row in zip(joined, rows, strict=True):
        covered = latest_value(gho("UHC_INDEX_REPORTED"), country, last=2019)
        assert covered is not None
        assert row["uhc_index"] == pytest.approx(covered[1], abs=0.006)


def test_x15_largest_receivers(published: Published) -> None:
    received, produced = world_bank("BX.TRF.PWKR.CD.DT"), world_bank("NY.GDP.MKTP.CD")
    largest = sorted(
        ((value, country) for (country, year), value in received.items() if year == 2022), reverse=True
    )[:10]
    rows = answer(published.analyst, "x15_largest_receivers")
    for (value, country), row in zip(largest, rows, strict=True):
        assert row["name"] == country_name(country)
        assert row["billion_usd"] == pytest.approx(value / 1e9, abs=0.051)
        assert row["percent_of_gdp"] == pytest.approx(100 * value / produced[country, 2022], abs=0.051)
        latest_group = max(
            (int(known["last_fiscal_year"]), known["income_group"])
            for known in seed("world_bank_income_group")
            if known["country_iso3"] == country
        )
        assert row["income_group"] == latest_group[1]
