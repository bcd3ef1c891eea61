"""The questions on articles 6 to 10, mobility, remittances and quality against plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from statistics import median

from tests.docs.asking import answer, columns_of
from tests.docs.snapshot_figures import (
    Response,
    agreement_reports,
    country_called,
    country_name,
    member_states,
    records,
    reports,
    reports_of,
    rounds,
    safeguards_list,
    seed,
)
from tests.docs.snapshot_mobility import (
    Figure,
    cells_of,
    chosen,
    grouped,
    home_stock,
    is_synthetic,
    matrix,
    nearest_home,
    nhwa_values,
    origins_in_sums,
    source_rank,
    totals,
    world_bank,
)
from tests.docs.test_questions_articles_1_5 import (
    ForeignShare,
    computed_list,
    foreign_shares,
    gho,
    latest_value,
)
from tests.published import Published

DOCTORS, NURSES = "221", "2221+3221"


def rounded(value: float | None, digits: int = 3) -> float | None:
    """As SQL rounds: half away from zero."""
    return None if value is None else round(value + 1e-12, digits)


def share(part: float, whole: float | None, digits: int = 3) -> float | None:
    """part / whole rounded, None over nothing."""
    return rounded(part / whole, digits) if whole else None


# -- article 6 -----------------------------------------------------------------------------------------


def abroad(occupation: str, year: int, *, real_only: bool) -> dict[str, list[Figure]]:
    """By country of training the figures of those who practise elsewhere in the year."""
    counted = [
        figure
        for figure in origins_in_sums("stock")
        if (figure.occupation, figure.year) == (occupation, year)
        if not (real_only and figure.is_synthetic)
    ]
    return dict(grouped(counted, lambda each: str(each.origin)))


def test_q14_corridors_and_emigration(published: Published) -> None:
    rows = answer(published.analyst, "q14_corridors_and_emigration")
    expected = []
    for occupation, year, real_only in ((DOCTORS, 2018, True), (NURSES, 2024, False)):
        leavers = abroad(occupation, year, real_only=real_only)
        corridors = sorted(
            (figure for group in leavers.values() for figure in group),
            key=lambda each: (-(each.persons or 0), str(each.origin), each.destination),
        )
        for place, figure in enumerate(corridors[:10], 1):
            gone = sum(each.persons or 0 for each in leavers[str(figure.origin)])
            home = nearest_home(str(figure.origin), occupation, year, real_only=real_only)
            expected.append(
                (year, place, figure.origin, figure.destination, figure.persons, figure.source)
                + (figure.is_synthetic, gone)
                + ((home[1], home[0], home[2]) if home else (None, None, None))
                + (share(gone, gone + home[1], 6) if home else None,)
            )
    assert (
        columns_of(
            rows,
            *("year", "place", "origin_iso3", "destination_iso3", "persons", "source", "is_synthetic"),
            *("abroad", "home", "home_year", "home_source", "emigration_rate"),
        )
        == expected
    )
    assert {row["year"]: row["occupation"] for row in rows} == {
        2018: "Medical doctors",
        2024: "Nursing personnel",
    }


def test_q14_is_of_the_last_year_that_covers_half_of_the_foreign_trained(published: Published) -> None:
    """Destinations with countries of training hold half of the foreign-trained of all destinations known."""
    for row in answer(published.analyst, "q14_corridors_and_emigration"):
        occupation = DOCTORS if row["occupation"] == "Medical doctors" else NURSES
        real_only = not row["is_synthetic"]
        assert row["destination_coverage"] == rounded(coverage(occupation, int(str(row["year"])), real_only))
        later = range(int(str(row["year"])) + 1, 2027)
        assert not any((coverage(occupation, year, real_only) or 0) >= 0.5 for year in later)


Group = Mapping[tuple[str, str, int], list[Figure]]


@cache
def blocks_and_totals() -> tuple[Group, Group]:
    """Figures by country of training that are summed, and the foreign-trained as published."""

    def of(figure: Figure) -> tuple[str, str, int]:
        return figure.destination, figure.occupation, figure.year

    foreign = (each for each in totals() if each.quantity == "foreign_trained" and each.persons is not None)
    return grouped(origins_in_sums("stock"), of), grouped(foreign, of)


@cache
def coverage(occupation: str, year: int, real_only: bool) -> float | None:
    """Persons with a named country of training in the year over the foreign-trained of every destination.

    A destination's foreign-trained are those of its year nearest, of two as near the earlier. Where it has
    countries of training, they are of the source of these.
    """
    sums, published = blocks_and_totals()
    foreign: dict[str, dict[int, tuple[float, float | None]]] = {}
    for key in {*sums, *published}:
        destination, of, at = key
        block = [each for each in sums.get(key, []) if not (real_only and each.is_synthetic)]
        candidates = [each for each in published.get(key, []) if not (real_only and each.is_synthetic)]
        if of != occupation or not (block or candidates):
            continue
        named = sum(each.persons or 0 for each in block) if block else None
        if block:
            same = [each for each in candidates if each.source == block[0].source]
            same = [each for each in same if each.edition == block[0].edition]
            count = float(same[0].persons or 0) if same else float(named or 0)
            foreign.setdefault(destination, {})[at] = (count, min(float(named or 0), count))
        else:
            best = chosen(candidates)
            assert best is not None
            foreign.setdefault(destination, {})[at] = (float(best.persons or 0), None)
    nearest = [
        (at == year, *years[at])
        for years in foreign.values()
        for at in [min(years, key=lambda each: (abs(each - year), each))]
    ]
    covered = [named for is_then, _, named in nearest if is_then and named is not None]
    return sum(covered) / sum(count for _, count, _ in nearest) if covered else None


def test_q15_records_and_systems(published: Published) -> None:
    code = "NHWA_10-02 HRHIS for reporting on the WHO Global Code"
    system: dict[str, tuple[int, str]] = {}
    for country, year, element, value in nhwa_values():
        if element == code:
            system[country] = max(system.get(country, (0, "")), (year, value.lower()))
    latest: dict[str, tuple[int, list[str]]] = {}
    for (country, round_year), report in sorted(reports().items()):
        kept = report.code("stat_records", "any")
        ticks = [cell for cell in report.of("stat_records", "cadre") if cell.code is not None]
        if kept == "no" or ticks:
            yes = [cell.occupation for cell in ticks if cell.code == "yes" and kept != "no"]
            latest[country] = (round_year, sorted(yes))
    compared = {country for country in latest if country in system}
    partial = sum(system[country][1] == "partial" for country in compared)
    expected = []
    for country in compared:
        (round_year, occupations), (year, said) = latest[country], system[country]
        if said == ("no" if occupations else "yes"):
            expected.append(
                (
                    "records, no system" if occupations else "system, no records",
                    *(country, round_year, " ".join(occupations) or None, year, said),
                    *(len(compared), partial),
                )
            )
    rows = answer(published.analyst, "q15_records_and_systems")
    assert columns_of(
        rows,
        *("finding", "country_iso3", "round_year", "occupations_with_records", "nhwa_year", "has_system"),
        *("countries_compared", "partial_systems"),
    ) == sorted(expected)


def test_q16_newcomers_and_graduates(published: Published) -> None:
    figures = grouped(totals(), lambda each: (each.destination, each.occupation, each.year, each.quantity))
    latest: dict[tuple[str, str], tuple[object, ...]] = {}
    for country, occupation, year, quantity in sorted(figures):
        if quantity != "foreign_trained_inflow" or occupation not in (DOCTORS, NURSES):
            continue
        newcomers = chosen(figures[country, occupation, year, quantity])
        before = {
            (each.source, each.edition): each.persons
            for each in figures.get((country, occupation, year - 1, "domestic_trained"), [])
            if each.persons is not None
        }
        after = chosen(
            each
            for each in figures.get((country, occupation, year, "domestic_trained"), [])
            if (each.source, each.edition) in before and each.persons is not None
        )
        if newcomers is None or newcomers.persons is None or after is None or after.persons is None:
            continue
        growth = after.persons - (before[after.source, after.edition] or 0)
        latest[occupation, country] = (
            *(year, newcomers.persons, newcomers.source, growth, after.persons, after.source),
            share(newcomers.persons, newcomers.persons + growth) if growth > 0 else None,
            newcomers.is_synthetic or after.is_synthetic,
        )
    rows = answer(published.analyst, "q16_newcomers_and_graduates")
    found = {
        (row["occupation_code"], row["destination_iso3"]): tuple(
            row[column]
            for column in (
                *("year", "newcomers", "newcomers_source", "domestic_growth", "domestic_stock"),
                *("domestic_source", "newcomer_share", "is_synthetic"),
            )
        )
        for row in rows
    }
    assert found == latest
    shares = [row["newcomer_share"] for row in rows if row["occupation_code"] == DOCTORS]
    known = [float(str(each)) for each in shares if each is not None]
    assert shares == sorted(known, reverse=True) + [None] * (len(shares) - len(known))


# -- article 7 -----------------------------------------------------------------------------------------


def designation(country: str, round_year: int) -> bool | None:
    """What a country's latest response of a round that says anything says of its authority.

    Incomplete responses count where no complete one says it.
    """
    report = reports().get((country, round_year))
    said = report.code("contact", "dna_designated") if report else None
    if said is not None:
        return said == "yes"
    for response in sorted(started(round_year), key=lambda each: each[1], reverse=True):
        if response[0] == country:
            return response[2]
    return None


def started(round_year: int) -> list[tuple[str | None, str, bool]]:
    """Responses of a round that were not submitted and say whether an authority is designated."""
    held = rounds()[round_year]
    headings = {
        row["canonical_part"]: row["heading"]
        for row in seed("nri_question")
        if row["survey_id"] == held.survey_id and row["canonical_item"] == "contact"
    }
    if held.survey_id == str(round_year):
        return []
    return [
        (
            country_called(record[headings["member_state"]] or ""),
            record["datestamp"] or "",
            record[headings["dna_designated"]] == "Y",
        )
        for record in records("limesurvey", f"response_{held.survey_id}")
        if not record["submitdate"] and record[headings["dna_designated"]] in ("Y", "N")
    ]


def test_q17_authorities_and_reports(published: Published) -> None:
    expected = []
    years = sorted(rounds())
    for country, region in member_states(rounds()[2024].closed_on).items():
        said = {year: designation(country, year) for year in years}
        named = max((year for year in years if said[year]), default=None)
        denied = max((year for year in years if said[year] is False), default=0)
        reported = [year for year in years if (country, year) in reports()]
        is_on_register = named is not None and named > denied
        last_two = sum(year in years[-2:] for year in reported)
        if is_on_register and last_two:
            continue
        expected.append(
            (
                "authority, no report in two rounds" if is_on_register else "no designated authority",
                region,
                country,
                country_name(country),
                {True: "designated", False: "not_designated", None: "not_told"}[said[2024]],
                named,
                max(reported, default=None),
                last_two,
            )
        )
    rows = answer(published.analyst, "q17_authorities_and_reports")
    assert columns_of(
        rows,
        *("finding", "who_region", "country_iso3", "name", "designation", "last_named_round_year"),
        *("last_report_round_year", "reports_in_last_two_rounds"),
    ) == sorted(expected)
    assert {row["round_year"] for row in rows} == {2024}


def test_q18_law_databases(published: Published) -> None:
    latest: dict[str, Response] = {}
    before: dict[str, Response] = {}
    for (country, _), report in sorted(reports().items()):
        if country in latest:
            before[country] = latest[country]
        latest[country] = report
    answering = [each for each in latest.values() if each.code("law_database", "any") is not None]
    having = [each for each in answering if each.code("law_database", "any") == "yes"]
    expected = set()
    for report in having:
        link = next(iter(report.of("law_database", "link")), None)
        said = before[report.country].code("law_database", "any") if report.country in before else None
        expected.add(
            (
                report.country,
                report.round_year,
                None if link is None else bool(link.raw),
                None if said is None else said == "yes",
                sum(bool(cell.raw) for cell in report.of("law_policy_intl", "title")),
                sum(bool(cell.raw) for cell in report.of("law_policy_intl", "link")),
                len(having),
                len(answering),
            )
        )
    rows = answer(published.analyst, "q18_law_databases")
    assert len(rows) == len(expected)
    assert (
        set(
            columns_of(
                rows,
                *("country_iso3", "round_year", "has_link", "said_before", "laws_named", "laws_linked"),
                *("countries_with_database", "countries_answering"),
            )
        )
        == expected
    )
    assert all(row["is_synthetic"] for row in rows)


# -- article 8 -----------------------------------------------------------------------------------------

#: Steps of article 8 by the item and part of the report that asks for them.
STEPS = {
    "publicise": ("8.1", "impl_steps", "publicise"),
    "law_policy": ("8.2", "impl_steps", "law_policy"),
    "law_policy_status": ("8.2", "impl_steps", "law_policy_status"),
    "consult": ("8.3", "impl_steps", "consult"),
    "coordinate": ("8.3", "moh_coord", "status"),
    "engage_stakeholders": ("8.4", "impl_steps", "engage_stakeholders"),
    "recruiter_records": ("8.5", "impl_steps", "recruiter_records"),
    "agency_good_practice": ("8.6", "impl_steps", "agency_good_practice"),
}


def step_said(report: Response | None, step: str) -> str | None:
    """yes, no or another answer of a report on a step; None where it is not asked or not answered.

    A no to the question above rules out every box below it.
    """
    if report is None:
        return None
    _, item, part = STEPS[step]
    cell = next(iter(report.of(item, part)), None)
    if cell is None:
        return None
    if cell.kind == "tick" and report.code(item, "any") == "no":
        return "no"
    return cell.code


def test_q19_steps_and_movement(published: Published) -> None:
    expected = []
    for step, (article, _, _) in STEPS.items():
        for round_year in sorted(rounds()):
            said = {
                country: answered
                for country, report in reports_of(round_year).items()
                if (answered := step_said(report, step)) is not None
            }
            if not any(report.of(*STEPS[step][1:]) for report in reports_of(round_year).values()):
                continue
            yes = sum(answered == "yes" for answered in said.values())
            earlier = max((year for year in rounds() if year < round_year), default=None)
            moved = [
                (country, before, answered)
                for country, answered in said.items()
                if earlier and (before := step_said(reports().get((country, earlier)), step)) is not None
            ]
            to_yes = [country for country, before, after in moved if (before, after) == ("no", "yes")]
            expected.append(
                (article, step, round_year, len(said), yes, share(yes, len(said)))
                + (
                    (
                        sum("other" not in (before, after) for _, before, after in moved),
                        len(to_yes),
                        sum((before, after) == ("yes", "no") for _, before, after in moved),
                        " ".join(sorted(to_yes)) or None,
                    )
                    if earlier
                    else (None, None, None, None)
                )
            )
    rows = answer(published.analyst, "q19_steps_and_movement")
    assert columns_of(
        rows,
        *("code_article", "step", "round_year", "answered", "said_yes", "yes_share"),
        *("comparable", "moved_to_yes", "moved_to_no", "countries_to_yes"),
    ) == sorted(expected, key=lambda each: each[:3])


def test_q20_recruiters_and_agencies(published: Published) -> None:
    expected = set()
    for (country, round_year), report in reports().items():
        if report.code("pathways", "most_used") == "agency":
            expected.add(
                (
                    round_year,
                    step_said(report, "recruiter_records"),
                    country,
                    step_said(report, "agency_good_practice"),
                    report.code("pathways", "agency_scale_2") == "out_used",
                    rounds()[round_year].safeguards_status(country),
                )
            )
    rows = answer(published.analyst, "q20_recruiters_and_agencies")
    assert (
        set(
            columns_of(
                rows,
                *("round_year", "keeps_record_of_recruiters", "country_iso3", "good_practice_of_agencies"),
                *("agencies_also_way_out", "safeguards_status"),
            )
        )
        == expected
    )
    assert len(rows) == len(expected)


# -- article 9 -----------------------------------------------------------------------------------------


@cache
def income_group(country: str, day: date) -> str:
    """The World Bank's group on a day: its fiscal year begins in July; unknown after those on record."""
    year = day.year + (day.month >= 7)
    listed = seed("world_bank_income_group")
    if year > max(int(row["last_fiscal_year"]) for row in listed):
        return "unknown"
    return next(
        (
            row["income_group"]
            for row in listed
            if row["country_iso3"] == country
            and int(row["first_fiscal_year"]) <= year <= int(row["last_fiscal_year"])
        ),
        "unclassified",
    )


def population(country: str, year: int) -> float | None:
    """The latest estimate of the last five years up to a year."""
    known = world_bank("SP.POP.TOTL")
    return next(
        (known[country, each] for each in range(year, year - 6, -1) if (country, each) in known), None
    )


def test_q21_reporting_rate(published: Published) -> None:
    expected = []
    for round_year, held in rounds().items():
        groups: dict[tuple[int, str, str], list[str]] = {}
        for country, region in member_states(held.closed_on).items():
            income = income_group(country, held.closed_on)
            for key in ((1, "global", "all"), (2, "who_region", region), (3, "income_group", income)):
                groups.setdefault(key, []).append(country)
        for key, members in groups.items():
            people = {country: population(country, round_year) for country in members}
            known = {country: each for country, each in people.items() if each is not None}
            reporting = [country for country in members if (country, round_year) in reports()]
            # A share of the population is refused where it is known of fewer than nine in ten.
            covered = sum(known[country] for country in reporting if country in known)
            is_shown = len(known) >= 0.9 * len(members)
            expected.append(
                (
                    *(-round_year, key, len(members), len(reporting)),
                    share(len(reporting), len(members)),
                    share(covered, sum(known.values())) if is_shown else None,
                )
            )
    rows = answer(published.analyst, "q21_reporting_rate")
    order = {"global": 1, "who_region": 2, "income_group": 3}
    assert [
        (
            -int(str(row["round_year"])),
            (order[str(row["grouping_kind"])], row["grouping_kind"], row["grouping_value"]),
            *(row["member_states"], row["reported"], row["reporting_rate"], row["population_share"]),
        )
        for row in rows
    ] == sorted(expected)
    assert all((row["population_share"] is None) == bool(row["population_refused_because"]) for row in rows)


def test_q22_constraints(published: Published) -> None:
    expected = []
    for round_year in rounds():
        points: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        named: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        countries: dict[bool, set[str]] = {True: set(), False: set()}
        for country, report in reports_of(round_year).items():
            is_host = report.code("legal_safeguards", "host") == "yes"
            for rank in (1, 2, 3):
                code = report.code("constraints", f"rank_{rank}")
                if code is not None:
                    points[is_host][code] += 4 - rank
                    named[is_host][code] += 1
                    countries[is_host].add(country)
        both = points[True] + points[False]
        for code, sum_of_points in both.items():
            expected.append(
                (
                    *(-round_year, -sum_of_points, code),
                    1 + sum(other > sum_of_points for other in both.values()),
                    *(named[True][code], len(countries[True])),
                    share(points[True][code], points[True].total()),
                    *(named[False][code], len(countries[False])),
                    share(points[False][code], points[False].total()),
                )
            )
    rows = answer(published.analyst, "q22_constraints")
    assert [
        (
            -int(str(row["round_year"])),
            -int(str(row["points"])),
            *(row["constraint_code"], row["place"], row["named_by_destinations"], row["destinations"]),
            *(row["share_of_points_destinations"], row["named_by_sources"], row["sources"]),
            row["share_of_points_sources"],
        )
        for row in rows
    ] == sorted(expected)


# -- published figures ---------------------------------------------------------------------------------

#: Who counts for an indicator that a published figure is of, by the country's report of a round.
COUNTED: dict[str, Callable[[Response], bool | None]] = {
    "report_submitted": lambda _: True,
    "impl_any": lambda report: yes(report.code("impl_steps", "any")),
    "impl_8_1": lambda report: yes(step_said(report, "publicise")),
    "law_integration": lambda report: yes(step_said(report, "law_policy_status")),
    "law_integration_in_process": lambda report: step_said(report, "law_policy_status") == "in_process",
    "equal_legal_rights": lambda report: (
        yes(report.code("legal_safeguards", "equal_rights"))
        if report.code("legal_safeguards", "host") == "yes"
        else None
    ),
    "code_in_agreements": lambda report: has_element(report, "code_reference"),
    "agreements_ethical": lambda report: has_element(report, "ethical"),
}


def yes(said: str | None) -> bool | None:
    """Whether what was said is a yes; None where nothing was."""
    return None if said is None else said == "yes"


def has_element(report: Response, element: str) -> bool:
    """Whether any agreement of the report has an element of the Code."""
    return any(
        each.elements[element] is True
        for each in agreement_reports()
        if (each.country, each.round_year) == (report.country, report.round_year)
    )


def counting(indicator: str, round_year: int, region: str) -> dict[str, bool]:
    """Member States (of a region, or all) that can be counted for an indicator, and whether they are."""
    members = member_states(rounds()[round_year].closed_on)
    chosen_members = [country for country, of in members.items() if region in ("", of)]
    if indicator == "authority_designated":
        return {country: designation(country, round_year) is True for country in chosen_members}
    said = {
        country: COUNTED[indicator](report)
        for country in chosen_members
        if (report := reports().get((country, round_year)))
    }
    return {country: each for country, each in said.items() if each is not None}


def begun(round_year: int, region: str, by: str, *, submitted_only: bool) -> int:
    """Member States with a response submitted by a day or, unless submitted only, in process whenever."""
    held = rounds()[round_year]
    heading = next(
        row["heading"]
        for row in seed("nri_question")
        if (row["survey_id"], row["canonical_item"], row["canonical_part"])
        == (held.survey_id, "contact", "member_state")
    )
    members = member_states(held.closed_on)
    found = set()
    for record in records("limesurvey", f"response_{held.survey_id}"):
        country = country_called(record[heading] or "")
        counts = record["submitdate"][:10] <= by if record["submitdate"] else not submitted_only
        if country in members and region in ("", members[country]) and counts:
            found.add(country)
    return len(found)


def rebuilt_share(row: Mapping[str, str]) -> tuple[float, bool] | None:
    """Share in percent (or the rule's count or least share) of one source a destination, and whether made up.

    Of a destination the year nearest to that of the figure within three, the later of two as near, else the
    latest; synthetic ones only where none is real.
    """
    basis = "birth" if row["rebuild_rule"] == "foreign_born_share" else "training"
    of_year = int(row["year"]) if row["year"] else None
    known = [
        each
        for each in foreign_shares()
        if (each.occupation, each.basis) == (row["occupation_code"], basis) and each.total_share is not None
        if row["country_iso3"] in ("", each.destination) and row["source"] in ("", each.source)
        if of_year is None or abs(each.year - of_year) <= 3
    ]
    known = [each for each in known if each.is_synthetic == all(one.is_synthetic for one in known)]
    best: dict[str, ForeignShare] = {}
    for each in sorted(
        known,
        key=lambda one: (
            abs(one.year - of_year) if of_year is not None else 0,
            -one.year,
            source_rank("stock", one.source),
        ),
    ):
        best.setdefault(each.destination, each)
    if not best:
        return None
    shares = {
        "countries_with_share": float(len(best)),
        "lowest_foreign_trained_share": 100 * min(each.total_share or 0 for each in best.values()),
    }
    of_all = sum(each.foreign for each in best.values()) / sum(each.total or 0 for each in best.values())
    value = shares.get(row["rebuild_rule"], 100 * of_all)
    return value, any(each.is_synthetic for each in best.values())


def densities(edition: int) -> list[float]:
    """Doctors, nurses and midwives per 10 000 of each Member State, as an edition of the list could know."""
    (criteria,) = [row for row in seed("safeguards_criteria") if int(row["edition"]) == edition]
    last = int(criteria["last_density_year"])
    latest = [
        [latest_value(gho(indicator), country, last=last) for indicator in ("HWF_0001", "HWF_0006")]
        for country in member_states(date.fromisoformat(criteria["listed_by"]))
    ]
    return [doctors[1] + nurses[1] for doctors, nurses in latest if doctors and nurses]


def rebuilt(row: Mapping[str, str]) -> tuple[float, bool] | None:
    """What the rule of a published figure gives on the snapshot, and whether it rests on made-up records."""
    rule, region = row["rebuild_rule"], row["who_region"]
    year = int(row["year"]) if row["year"] else 0
    since = int(row["from_year"]) if row["from_year"] else year
    if rule in ("begun_by_day", "submitted_by_day"):
        return float(begun(year, region, row["by_day"], submitted_only=rule == "submitted_by_day")), True
    if rule in ("safeguards_countries", "safeguards_added"):
        states = member_states(date(2023, 3, 23))
        earlier = computed_list(since)
        computed = [
            country
            for country, is_computed in computed_list(year).items()
            if is_computed and region in ("", states[country])
            if rule == "safeguards_countries" or not earlier.get(country)
        ]
        return float(len(computed)), False
    if rule == "safeguards_median":
        return median(densities(year)), False
    if rule == "accounts_indicators":
        listed = [each for each in seed("nhwa_indicator") if each["handbook_edition"] == "2017"]
        return float(sum(row["indicator"] in ("", each["module"]) for each in listed)), False
    if rule == "stock_million":
        latest = {
            country: max(stock for stock in stocks if stock[2] == "who_gho" and year - 4 <= stock[0] <= year)
            for (country, occupation), stocks in home_stock().items()
            if occupation == row["occupation_code"]
            if any(stock[2] == "who_gho" and year - 4 <= stock[0] <= year for stock in stocks)
        }
        if not any(stock[0] == year for stock in latest.values()):
            return None
        return sum(stock[1] for stock in latest.values()) / 1e6, False
    if rule.endswith("_share") or rule == "countries_with_share":
        return rebuilt_share(row)
    if row["indicator"] == "agreements_notified":
        return float(sum(each.round_year == year for each in agreement_reports())), True
    now = counting(row["indicator"], year, region)
    counted = {country for country, is_counted in now.items() if is_counted}
    before = [
        {country for country, is_counted in counting(row["indicator"], each, region).items() if is_counted}
        for each in rounds()
        if since <= each < year
    ]
    values: dict[str, Callable[[], float]] = {
        "countries": lambda: len(counted),
        "countries_first": lambda: len(counted.difference(*before)),
        "countries_always": lambda: len(counted.intersection(*before)),
        "countries_ever": lambda: len(counted.union(*before)),
        "share": lambda: 100 * len(counted) / len(now),
        "growth": lambda: 100 * len(counted) / len(before[0]) - 100,
    }
    return float(values[rule]()), True


def status_of(row: Mapping[str, str], found: tuple[float, bool] | None) -> str:
    """What the comparison with the published value says."""
    if found is None:
        return "cannot be rebuilt"
    if found[1]:
        return "synthetic input"
    value, low = found[0], float(row["value"])
    high = float(row["upper_value"] or low)
    agrees = {
        "more than": value > low,
        "less than": value < low,
    }.get(row["comparison"], low - float(row["tolerance"]) <= value <= high + float(row["tolerance"]))
    return "rebuilt" if agrees else "differs"


def test_q23_published_figures(published: Published) -> None:
    expected = {}
    listed = {row["figure"]: row for row in seed("published_figure")}
    for figure, source in listed.items():
        found = rebuilt(source) if source["rebuild_rule"] else None
        expected[figure] = (status_of(source, found), None if found is None else found[0])
    rows = answer(published.analyst, "q23_published_figures")
    assert {row["figure"] for row in rows} == set(listed)
    by_figure = {str(row["figure"]): row for row in rows}
    wrong = {}
    for figure, (status, value) in expected.items():
        shown = by_figure[figure]
        alike = (
            (shown["rebuilt_value"] is None)
            if value is None
            else (
                shown["rebuilt_value"] is not None
                and abs(float(str(shown["rebuilt_value"])) - value) <= 0.0051
            )
        )
        if shown["rebuild_status"] != status or not alike:
            wrong[figure] = (shown["rebuild_status"], shown["rebuilt_value"], status, value)
    assert wrong == {}
    counts = Counter(row["rebuild_status"] for row in rows)
    for row in rows:
        assert row["of_status"] == counts[str(row["rebuild_status"])]
        assert row["reason"] or row["rebuild_status"] != "cannot be rebuilt"
        assert row["evidence_status"] != "unverified"
        source = listed[str(row["figure"])]
        assert row["published_value"] == round(float(source["value"]), 4), row["figure"]
        assert row["statement"] == source["statement"], row["figure"]


# -- article 10 ----------------------------------------------------------------------------------------


def partners(report: Response | None, item: str) -> set[str]:
    """Countries that a report names as givers or recipients of support."""
    cells = report.of(item, "country") if report else []
    return {iso3 for cell in cells if (iso3 := country_called(cell.raw or ""))}


def test_q24_support_received(published: Published) -> None:
    expected = []
    for round_year, held in rounds().items():
        if held.safeguards_edition is None:
            continue
        listed = [
            report
            for country, report in reports_of(round_year).items()
            if country in safeguards_list(held.safeguards_edition)
        ]
        receiving = [report for report in listed if partners(report, "support_received")]
        for report in receiving:
            kinds = sorted(
                cell.part
                for cell in report.of("support_received")
                if (cell.kind, cell.code) == ("tick", "yes")
                and report.code("support_received", "any") != "no"
            )
            for giver in partners(report, "support_received"):
                other = reports().get((giver, round_year))
                expected.append(
                    (
                        -round_year,
                        report.country,
                        giver,
                        "giver did not report"
                        if other is None
                        else "confirmed"
                        if report.country in partners(other, "support_given")
                        else "giver reports without it",
                        " ".join(kinds) or None,
                        len(listed),
                        len(receiving),
                    )
                )
    rows = answer(published.analyst, "q24_support_received")
    assert [
        (
            -int(str(row["round_year"])),
            *(row["recipient_iso3"], row["donor_iso3"], row["confirmation"], row["kinds"]),
            *(row["listed_reporting"], row["listed_receiving"]),
        )
        for row in rows
    ] == sorted(expected)


def test_q25_remittances_and_workforce(published: Published) -> None:
    received = world_bank("BX.TRF.PWKR.CD.DT")
    published_share = world_bank("BX.TRF.PWKR.DT.GD.ZS")
    product = world_bank("NY.GDP.MKTP.CD")
    cost = world_bank("SI.RMT.COST.IB.ZS")
    money = matrix("WB_Bilateral_Remittance_Estimates_2017.xlsx")
    corridors: dict[str, dict[str, float]] = {}
    for (sender, receiver), million in money.items():
        if million > 0 and sender != receiver:
            corridors.setdefault(receiver, {})[sender] = million
    # Doctors by country of training are real in 2018 alone, corridors in 2017: both are near until 2020.
    leavers = abroad(DOCTORS, 2018, real_only=True)
    expected = []
    for country, senders in corridors.items():
        years = [year for year in range(2015, 2021) if (country, year) in received]
        if not years or country not in leavers:
            continue
        year = max(years)
        percent = published_share.get((country, year))
        if percent is None and (country, year) in product:
            percent = 100 * received[country, year] / product[country, year]
        home = nearest_home(country, DOCTORS, year, real_only=True)
        largest = min(senders, key=lambda sender: (-senders[sender], sender))
        gone = sum(figure.persons or 0 for figure in leavers[country])
        expected.append(
            (
                *(-gone, country, year, rounded(received[country, year] / 1e6, 1)),
                *(rounded(percent, 4), rounded(cost.get((country, year)), 4)),
                *(largest, share(senders[largest], sum(senders.values())), 2017, 2018),
                *((home[1], home[0]) if home else (None, None)),
            )
        )
    rows = answer(published.analyst, "q25_remittances_and_workforce")
    assert [
        (
            *(-float(str(row["doctors_abroad"])), row["country_iso3"], row["year"]),
            *(row["received_million_usd"], row["received_percent_of_gdp"], row["cost_of_sending_percent"]),
            *(row["largest_sender_iso3"], row["largest_corridor_share"], row["corridors_year"]),
            *(row["doctors_abroad_year"], row["doctors_home"], row["doctors_home_year"]),
        )
        for row in rows
    ] == sorted(expected)
    for row in rows:
        assert (row["is_modelled"], row["is_synthetic"]) == (True, False)
        # No source that is loaded holds these; a reason stands where a zero would be wrong.
        assert row["nurses_abroad"] is row["oda_for_workforce_usd"] is row["doctors_graduates"] is None
        assert row["nurses_abroad_missing_because"] == "no destination reports them within three years"
        assert row["oda_for_workforce_missing_because"] == "indicator 7-02 not held"
        assert row["doctors_graduates_missing_because"] == "indicator 2-07 not held"


# -- mobility, remittances, quality --------------------------------------------------------------------


def test_x06_direction_of_mobility(published: Published) -> None:
    moved: dict[tuple[str, int], dict[str, list[float]]] = {}
    years = grouped(origins_in_sums("stock"), lambda each: (each.occupation, each.year))
    synthetic = {key: all(each.is_synthetic for each in figures) for key, figures in years.items()}
    for (occupation, year), figures in years.items():
        for figure in figures:
            if figure.is_synthetic and not synthetic[occupation, year]:
                continue
            ends = [
                income_group(country, date(year, 12, 31))
                for country in (str(figure.origin), figure.destination)
            ]
            classified = not {"unknown", "unclassified"} & set(ends)
            direction = "-".join("North" if group == "H" else "South" for group in ends)
            moved.setdefault((occupation, year), {}).setdefault(
                direction if classified else "unknown", []
            ).append(figure.persons or 0)
    expected = []
    for (occupation, year), directions in moved.items():
        everyone = sum(map(sum, directions.values()))
        classified_persons = everyone - sum(directions.get("unknown", []))
        coverage_of_year = classified_persons / everyone
        for direction, persons in directions.items():
            is_shown = direction != "unknown" and coverage_of_year >= 0.5
            expected.append(
                (
                    *(synthetic[occupation, year], occupation, -year, direction, sum(persons)),
                    sum(each > 0 for each in persons),
                    share(sum(persons), classified_persons) if is_shown else None,
                    rounded(coverage_of_year),
                )
            )
    rows = answer(published.analyst, "x06_direction_of_mobility")
    assert [
        (
            *(row["is_synthetic"], row["occupation_code"], -int(str(row["year"])), row["direction"]),
            *(row["persons"], row["corridors"], row["share"], row["classified_coverage"]),
        )
        for row in rows
    ] == sorted(expected)


def stock_by_source() -> dict[tuple[str, str, int, str], dict[str, tuple[float, bool]]]:
    """Totals and foreign-trained by country, occupation, year and quantity: one figure a source.

    A real one before a synthetic one, then the latest edition. WHO's stock and, times the population,
    Eurostat's practising per 100 000 stand beside.
    """
    found: dict[tuple[str, str, int, str], dict[str, list[tuple[str, float, bool]]]] = {}

    def add(key: tuple[str, str, int, str], source: str, edition: str, value: float, made_up: bool) -> None:
        found.setdefault(key, {}).setdefault(source, []).append((edition, value, made_up))

    for figure in totals():
        if figure.quantity in ("total", "foreign_trained") and figure.persons is not None:
            key = (figure.destination, figure.occupation, figure.year, figure.quantity)
            add(key, figure.source, figure.edition, figure.persons, figure.is_synthetic)
    for (country, occupation), stocks in home_stock().items():
        for year, persons, source, made_up in stocks:
            if source == "who_gho":
                add((country, occupation, year, "total"), source, "current", persons, made_up)
    country_of = {row["geo"]: row["country_iso3"] for row in seed("eurostat_geo")}
    specialty = {"PHYS": DOCTORS, "NRS": NURSES}
    for row in records("eurostat", "hlth_rs_prs2"):
        country, year = country_of[row["geo"]], int(row["time"])
        people = world_bank("SP.POP.TOTL").get((country, year))
        if row["unit"] == "P_HTHAB" and row["value"] is not None and people and row["med_spec"] in specialty:
            practising = round(row["value"] * people / 100_000 + 1e-12, 2)
            key = (country, specialty[row["med_spec"]], year, "total")
            add(key, "eurostat", "hlth_rs_prs2", practising, is_synthetic("eurostat", "hlth_rs_prs2"))
    return {
        key: {
            source: min(sorted(figures, reverse=True), key=lambda each: each[2])[1:]
            for source, figures in by_source.items()
        }
        for key, by_source in found.items()
    }


def test_x07_sources_that_disagree(published: Published) -> None:
    pairs: dict[tuple[str, str, str, str], list[tuple[str, float | None, bool, bool]]] = {}
    for (country, occupation, _, quantity), by_source in stock_by_source().items():
        ranked = sorted(by_source, key=lambda source: source_rank("reconciliation", source))
        for place, higher in enumerate(ranked):
            for lower in ranked[place + 1 :]:
                figure, compared = by_source[lower][0], by_source[higher][0]
                difference = rounded((figure - compared) / compared, 6) if compared else None
                beyond = abs(figure - compared) > 0.05 * compared
                made_up = by_source[lower][1] or by_source[higher][1]
                if occupation in (DOCTORS, NURSES):
                    pairs.setdefault((higher, lower, quantity, occupation), []).append(
                        (country, difference, beyond, made_up)
                    )
    expected = {}
    for key, compared_figures in pairs.items():
        if len(compared_figures) < 10:
            continue
        differences = [each[1] for each in compared_figures if each[1] is not None]
        beyond_tolerance = sum(each[2] for each in compared_figures)
        expected[key] = (
            len(compared_figures),
            len({each[0] for each in compared_figures}),
            beyond_tolerance,
            share(beyond_tolerance, len(compared_figures)),
            any(each[3] for each in compared_figures),
            100 * median(differences),
        )
    rows = answer(published.analyst, "x07_sources_that_disagree")
    key_columns = ("compared_source", "source", "quantity", "occupation_code")
    assert sorted(columns_of(rows, *key_columns)) == sorted(expected)
    for row in rows:
        higher, lower, quantity, occupation = (str(row[column]) for column in key_columns)
        key = (higher, lower, quantity, occupation)
        columns = ("figures", "countries", "beyond_5_percent", "share_beyond", "is_synthetic")
        assert tuple(row[column] for column in columns) == expected[key][:-1], key
        assert abs(float(str(row["median_difference_percent"])) - expected[key][-1]) <= 0.0501, key
    assert [row["is_synthetic"] for row in rows] == sorted(row["is_synthetic"] is True for row in rows)


def test_x08_dependence_on_one_corridor(published: Published) -> None:
    money = matrix("WB_Bilateral_Remittance_Estimates_2017.xlsx")
    migrants = matrix("WB_Bilateral_Estimates_Migrant_Stocks_2017.xlsx")
    received: dict[str, dict[str, float]] = {}
    for (sender, receiver), million in money.items():
        received.setdefault(receiver, {})[sender] = million
    expected = {
        receiver: (
            max(senders, key=lambda sender: senders[sender]),
            rounded(sum(senders.values()) / 1000, 2),
            share(max(senders.values()), sum(senders.values())),
        )
        for receiver, senders in received.items()
        if sum(senders.values()) >= 1000
    }
    rows = answer(published.analyst, "x08_dependence_on_one_corridor")
    assert {
        row["receiving_iso3"]: (
            row["sending_iso3"],
            row["received_billion_usd"],
            row["share_of_largest_corridor"],
        )
        for row in rows
    } == expected
    for row in rows:
        # Rows of the matrix of migrants are where they come from, columns where they live.
        pair = (str(row["receiving_iso3"]), str(row["sending_iso3"]))
        assert row["migrants_there"] == migrants.get(pair)
        assert (row["is_modelled"], row["is_synthetic"]) == (True, False)
    shares = [float(str(row["share_of_largest_corridor"])) for row in rows]
    assert shares == sorted(shares, reverse=True)


def test_x09_dear_corridors(published: Published) -> None:
    heading, *lines = [row for row in cells_of("remittance_prices", "36d1ed87_Data.csv") if len(row) > 6]
    quarters = {column: str(name)[:6] for column, name in enumerate(heading) if "[YR" in str(name)}
    cost = {
        (row[1], row[5], quarters[column]): float(str(row[column]))
        for row in lines
        for column in quarters
        if row[column] not in ("..", "", None)
    }
    latest = max(quarter for _, _, quarter in cost)
    watched = {
        (sender, receiver): percent
        for (sender, receiver, quarter), percent in cost.items()
        if quarter == latest and receiver in safeguards_list(2023)
    }
    corridors = Counter(receiver for _, receiver in watched)
    dear = Counter(receiver for (_, receiver), percent in watched.items() if percent > 5)
    rows = answer(published.analyst, "x09_dear_corridors")
    assert {(row["sending_iso3"], row["receiving_iso3"]): row["cost_percent"] for row in rows} == {
        pair: rounded(percent, 2) for pair, percent in watched.items() if percent > 5
    }
    for row in rows:
        assert f"{row['year']}Q{row['quarter']}" == latest
        receiver = str(row["receiving_iso3"])
        assert (row["watched_corridors"], row["above_5_percent"]) == (corridors[receiver], dear[receiver])
    costs = [float(str(row["cost_percent"])) for row in rows]
    assert costs == sorted(costs, reverse=True)


@cache
def uncounted() -> frozenset[tuple[str, str]]:
    """Round and heading of texts beside a choice or a box, which nobody need fill, and of what has no state.

    Of withheld answers that came in a file it is not known whether they were given.
    """
    return frozenset(
        (row["round_year"], row["heading"])
        for row in seed("nri_question")
        if row["value_kind"] == "text" and row["question_type"] in ("L", "M", "O", "P")
    ) | frozenset(
        (row["round_year"], row["heading"])
        for row in seed("nri_report_question")
        if row["restricted"] == "true"
    )


@cache
def answered_share(report: Response, article: int | None = None) -> float | None:
    """Share of the questions on an article, or of all, that a report answers; None where it has none.

    Boxes, remarks and repeated blocks do not count. The survey server sends an empty text for what it did not
    show, which so counts as not answered.
    """
    asked = [
        cell
        for cell in report.cells
        if article is None or cell.article.split(".")[0] == str(article)
        if cell.kind != "tick" and not cell.measure.startswith("block_")
        if (str(report.round_year), cell.heading) not in uncounted()
    ]
    return share(sum((cell.raw or "").strip() not in ("", "[]") for cell in asked), len(asked), 4)


def test_x10_answers_by_article(published: Published) -> None:
    shares: dict[tuple[int, int], list[float]] = {}
    for (_, round_year), report in reports().items():
        for article in range(3, 11):
            part = answered_share(report, article)
            if part is not None:
                shares.setdefault((round_year, article), []).append(part)
    rows = answer(published.analyst, "x10_answers_by_article")
    assert {
        (row["round_year"], row["article"]): tuple(
            row[column] for column in ("reports", "mean_answered_share", "lowest", "below_half")
        )
        for row in rows
    } == {
        key: (len(each), share(sum(each), len(each)), min(each), sum(part < 0.5 for part in each))
        for key, each in shares.items()
    }
    order = [(-int(str(row["round_year"])), row["mean_answered_share"], row["article"]) for row in rows]
    assert order == sorted(order, key=lambda each: (each[0], float(str(each[1])), int(str(each[2]))))


# -- older questions -----------------------------------------------------------------------------------


def test_x16_unfinished_year(published: Published) -> None:
    received = world_bank("BX.TRF.PWKR.CD.DT")
    fallen = sorted(
        (-received[country, 2021], country)
        for country, year in received
        if year == 2022 and received.get((country, 2021), 0) * 0.5 > received[country, 2022]
    )
    rows = answer(published.analyst, "x16_unfinished_year")
    assert columns_of(rows, "name", "million_usd_2021", "million_usd_2022", "percent_of_2021") == [
        (
            country_name(country),
            rounded(-before / 1e6, 1),
            rounded(received[country, 2022] / 1e6, 1),
            rounded(100 * received[country, 2022] / -before, 0),
        )
        for before, country in fallen
    ]


def test_x17_cost_of_sending(published: Published) -> None:
    groups: dict[str, list[float]] = {}
    for (country, year), percent in world_bank("SI.RMT.COST.IB.ZS").items():
        if year == 2020:
            groups.setdefault(income_group(country, date(2020, 7, 1)), []).append(percent)
    rows = answer(published.analyst, "x17_cost_of_sending")
    assert {
        row["income_group"]: tuple(
            row[column]
            for column in ("countries", "mean_cost_percent", "at_most_3_percent", "above_10_percent")
        )
        for row in rows
    } == {
        "not classified" if group == "unclassified" else group: (
            len(costs),
            share(sum(costs), len(costs), 2),
            sum(cost <= 3 for cost in costs),
            sum(cost > 10 for cost in costs),
        )
        for group, costs in groups.items()
    }


def test_x18_reporting_by_round(published: Published) -> None:
    expected = []
    for held in seed("reporting_round"):
        round_year = int(held["round_year"])
        received = reports_of(round_year)
        shares = [answered_share(report) or 0 for report in received.values()]
        members = member_states(rounds()[round_year].closed_on)
        expected.append(
            (
                round_year,
                len(received),
                sum(
                    report.submitted[:10] <= held["deadline"]
                    for report in received.values()
                    if held["deadline"]
                ),
                sum(designation(country, round_year) is True for country in members),
                share(sum(shares), len(shares), 2),
                int(held["published_reports"]) if held["published_reports"] else None,
                held["published_status"],
            )
        )
    rows = answer(published.analyst, "x18_reporting_by_round")
    assert (
        columns_of(
            rows,
            *("round_year", "reports", "in_time", "authorities", "mean_answered_share"),
            *("published_reports", "published_status"),
        )
        == expected
    )


def test_x19_monitoring_over_rounds(published: Published) -> None:
    expected = []
    for indicator, item, part in (
        ("impl_8_5", "impl_steps", "recruiter_records"),
        ("law_policy_intl", "law_policy_intl", "any"),
    ):
        for round_year in rounds():
            asked = [report for report in reports_of(round_year).values() if report.of(item, part)]
            said = ["no" if report.code(item, "any") == "no" else report.code(item, part) for report in asked]
            known = [each for each in said if each is not None]
            if asked:
                expected.append(
                    (indicator, round_year, len(asked), len(known), share(known.count("yes"), len(known)))
                )
    rows = answer(published.analyst, "x19_monitoring_over_rounds")
    assert columns_of(rows, "indicator", "round_year", "expected", "answered", "value") == expected


def test_x20_foreign_trained_doctors(published: Published) -> None:
    expected = []
    for country, report in reports_of(2024).items():
        doctors = {
            cell.measure or cell.part: cell.number
            for cell in report.of("stock_origin")
            if cell.occupation == DOCTORS and cell.number is not None
        }
        if doctors.get("foreign_trained") is not None and doctors.get("total"):
            source = next(
                cell.code for cell in report.of("stock_origin", "source") if cell.occupation == DOCTORS
            )
            expected.append(
                (
                    -(share(doctors["foreign_trained"], doctors["total"]) or 0),
                    country_name(country),
                    doctors["year"],
                    source,
                    doctors["total"],
                    doctors["foreign_trained"],
                )
            )
    rows = answer(published.analyst, "x20_foreign_trained_doctors")
    assert [
        (
            *(-float(str(row["foreign_trained_share"])), row["name"], row["stock_year"]),
            *(row["data_source"], row["doctors"], row["foreign_trained"]),
        )
        for row in rows
    ] == sorted(expected)[:8]
