"""OECD health workforce migration over SDMX REST: stocks, yearly inflows and totals of doctors and nurses.

What the dataflow's dimensions are called, and which code means which measure, is asked of its structure
message on every pull and never assumed: a dimension is known by what its code list holds, a measure by its
name. A pull is one structure message and one SDMX-CSV answer, read by header name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote

import msgspec
import polars as pl

from mobility_warehouse.sources.codes import known_codes
from mobility_warehouse.sources.declaration import (
    Answer,
    Column,
    ColumnType,
    Conversation,
    Reading,
    Request,
    Resource,
    Slice,
    SourceConnection,
    SourceError,
)
from mobility_warehouse.sources.delimited import Table, read_table, typed
from mobility_warehouse.sources.reading import Rule

NAME = "oecd"

AGENCY = "OECD.ELS.HD"
DATAFLOW = "DSD_HEALTH_WFMI@DF_HEALTH_WFMI"

#: Professions by their code, as the publisher's own downloads show them.
PROFESSIONS: Mapping[str, str] = {"PHYS": "doctors", "MINU": "nurses"}

#: What is counted, and how the publisher names it: codes of measures are taken from the structure message.
MEASURES: Mapping[str, re.Pattern[str]] = {
    "stock": re.compile(r"(?=.*foreign[- ]trained)(?=.*\bstock\b)", re.IGNORECASE),
    "inflow": re.compile(r"(?=.*foreign[- ]trained)(?=.*\binflow\b)", re.IGNORECASE),
    "total": re.compile(r"^(?!.*foreign)(?=.*\btotal\b)", re.IGNORECASE),
}

_STRUCTURE_JSON = "application/vnd.sdmx.structure+json;version=1.0"
#: Only this version of SDMX-CSV says of each record what became of it.
_CHANGES_CSV = "application/vnd.sdmx.data+csv;version=2.0"

#: "No data" in the service's words: an answer, not a fault.
_NO_DATA = (b"NoRecordsFound", b"NoResultsFound")

#: SDMX code list CL_OBS_STATUS, version 2.2.
OBS_STATUS = frozenset("ABDEFGHIJKLMNOPQSUVW")
#: Statuses that say why there is no value; such a record is landed without one.
_EXPLAINED = ("H", "K", "L", "M", "N", "Q")

#: Of SDMX-CSV 2.0: information, replace, append, delete. A merge (M) says nothing of what it leaves out.
_ACTIONS = ("I", "R", "A", "D")

_TEXT, _INTEGER = ColumnType.TEXT, ColumnType.INTEGER

OBSERVATION = Resource(
    name="observation",
    description="One number of doctors or nurses in one country, by country of training and year.",
    key=(
        "ref_area",
        "freq",
        "measure",
        "unit_measure",
        "profession",
        "origin",
        "further_dimensions",
        "time_period",
    ),
    columns=(
        # The version rolls with every change of the structure; the observation is the same.
        Column("dataflow", _TEXT, "Dataflow with its version, as published", volatile=True),
        Column("ref_area", _TEXT, "Country of destination, ISO 3166-1 alpha-3, or aggregate", nullable=False),
        Column("freq", _TEXT, "Frequency, A for annual", nullable=False, known_values=frozenset("A")),
        Column("measure", _TEXT, "Code of the measure, as published", nullable=False),
        Column(
            "measure_kind",
            _TEXT,
            "What the measure counts: stock or inflow of the foreign-trained, or total of all",
            nullable=False,
            known_values=frozenset(MEASURES),
        ),
        Column("unit_measure", _TEXT, "PS persons, PT_WR_PRF_HLTH % of the profession", nullable=False),
        Column(
            "profession",
            _TEXT,
            "PHYS doctors, MINU nurses",
            nullable=False,
            known_values=frozenset(PROFESSIONS),
        ),
        Column("origin", _TEXT, "Country of training, ISO 3166-1 alpha-3, or W for all", nullable=False),
        Column(
            "further_dimensions",
            ColumnType.JSON,
            "Codes of the dataflow's other dimensions, by dimension",
            nullable=False,
        ),
        Column("time_period", _TEXT, "Period, a calendar year here", unit="calendar year", nullable=False),
        Column(
            "obs_value",
            ColumnType.FLOAT,
            "Value; null where the status says why there is none",
            unit="unit_measure, times ten to the power of unit_mult",
        ),
        Column("obs_status", _TEXT, "Status of the observation, SDMX CL_OBS_STATUS", known_values=OBS_STATUS),
        Column("unit_mult", _INTEGER, "Power of ten to multiply the value with", unit="exponent"),
        Column("decimals", _INTEGER, "Decimals that the publisher displays", unit="digits"),
        Column("further_attributes", ColumnType.JSON, "Other attributes that are not empty, by attribute"),
    ),
)

#: Columns of SDMX-CSV that are neither dimension nor attribute, in version 1.0 and 2.0.
_FRAME_COLUMNS = frozenset({"DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "ACTION"})
_PLAIN = {"TIME_PERIOD": "time_period", "OBS_VALUE": "obs_value"}
_ATTRIBUTES = {"OBS_STATUS": "obs_status", "UNIT_MULT": "unit_mult", "DECIMALS": "decimals"}
_ROLES = ("ref_area", "freq", "measure", "unit_measure", "profession", "origin")
_REQUIRED = frozenset({*_PLAIN, "OBS_STATUS", "UNIT_MULT"})


# -- structure message ---------------------------------------------------------------------------------


class _Code(msgspec.Struct):
    id: str
    name: str = ""


class _CodeList(msgspec.Struct):
    id: str
    agency: str = msgspec.field(default="", name="agencyID")
    version: str = ""
    codes: list[_Code] = []


class _Representation(msgspec.Struct):
    enumeration: str = ""


class _Component(msgspec.Struct, rename="camel"):
    id: str
    position: int = 0
    local_representation: _Representation = msgspec.field(default_factory=_Representation)


class _DimensionList(msgspec.Struct):
    dimensions: list[_Component]


class _AttributeList(msgspec.Struct):
    attributes: list[_Component] = []


class _Components(msgspec.Struct, rename="camel"):
    dimension_list: _DimensionList
    attribute_list: _AttributeList = msgspec.field(default_factory=_AttributeList)


class _DataStructure(msgspec.Struct, rename="camel"):
    id: str
    data_structure_components: _Components


class _KeyValues(msgspec.Struct):
    id: str
    values: list[str] = []


class _CubeRegion(msgspec.Struct, rename="camel"):
    is_included: bool = True
    key_values: list[_KeyValues] = []


class _Constraint(msgspec.Struct, rename="camel"):
    id: str
    type: str = ""
    valid_from: str | None = None
    cube_regions: list[_CubeRegion] = []


class _Structures(msgspec.Struct, rename="camel"):
    data_structures: list[_DataStructure]
    codelists: list[_CodeList] = []
    content_constraints: list[_Constraint] = []


class _StructureMessage(msgspec.Struct):
    data: _Structures


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension in key order, with the names of the codes that the data use."""

    name: str
    codes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Structure:
    """What the dataflow's structure message says: dimensions in key order, attributes, time of change.

    ``changed`` is when the publisher last changed the figures, as UTC text that sorts by time; None where
    the message does not tell.
    """

    dimensions: tuple[Dimension, ...]
    attributes: tuple[str, ...]
    changed: str | None

    @classmethod
    def of(cls, label: str, body: bytes) -> Structure:
        """Read a structure message; SourceError where it does not describe exactly one data structure."""
        try:
            message = msgspec.json.decode(body, type=_StructureMessage).data
        except (msgspec.DecodeError, UnicodeError) as error:
            is_cut = body.lstrip().startswith(b"{") and not body.rstrip().endswith(b"}")
            cut = "cut short or " if is_cut else ""
            raise SourceError(f"{label}: {cut}no structure message: {error}", retryable=True) from error
        if len(message.data_structures) != 1:
            raise SourceError(f"{label}: expected one data structure, got {len(message.data_structures)}")
        components = message.data_structures[0].data_structure_components
        constraint = next((each for each in message.content_constraints if each.type == "Actual"), None)
        used: dict[str, frozenset[str]] = {}
        for region in constraint.cube_regions if constraint else ():
            if region.is_included:
                used |= {values.id: frozenset(values.values) for values in region.key_values}
        lists = {f"{each.agency}:{each.id}({each.version})": each.codes for each in message.codelists}
        dimensions = tuple(
            Dimension(
                each.id,
                {
                    code.id: code.name
                    for code in lists.get(each.local_representation.enumeration.rpartition("=")[2], ())
                    if each.id not in used or code.id in used[each.id]
                },
            )
            for each in sorted(components.dimension_list.dimensions, key=lambda each: each.position)
        )
        changed = _utc(label, constraint.valid_from) if constraint and constraint.valid_from else None
        return cls(dimensions, tuple(each.id for each in components.attribute_list.attributes), changed)

    def roles(self, label: str) -> dict[str, str]:
        """The column of each dimension, by what its code list holds; ``further`` for any other.

        Raises SourceError that lists the dimensions where a role is played by none or by several.
        """
        countries = known_codes(NAME, "country")
        tests: dict[str, Callable[[Dimension], bool]] = {
            "ref_area": lambda each: each.name == "REF_AREA",
            "freq": lambda each: each.name == "FREQ",
            "unit_measure": lambda each: each.name == "UNIT_MEASURE",
            "profession": lambda each: len(PROFESSIONS.keys() & each.codes.keys()) > 0,
            # Other dimensions have totals, too.
            "measure": lambda each: any(
                MEASURES[kind].search(name) for kind in ("stock", "inflow") for name in each.codes.values()
            ),
            "origin": lambda each: each.name != "REF_AREA" and len(countries & each.codes.keys()) > 1,
        }
        roles: dict[str, str] = {}
        for role, test in tests.items():
            found = [each.name for each in self.dimensions if test(each)]
            if len(found) != 1:
                there = "; ".join(
                    f"{each.name} ({', '.join(list(each.codes)[:5])})" for each in self.dimensions
                )
                said = f"{', '.join(found)} all serve" if found else "none serves"
                raise SourceError(f"{label}: dimension for {role} not resolved, {said}, of: {there}")
            roles[found[0]] = role
        return {each.name: roles.get(each.name, "further") for each in self.dimensions}

    def key(self, label: str, roles: Mapping[str, str], profession: str, measure: str) -> str:
        """The key of a data request: one profession, one measure, everything else open.

        Raises SourceError that lists the measures' names where none is meant.
        """
        asked: list[str] = []
        for dimension in self.dimensions:
            match roles[dimension.name]:
                case "freq":
                    asked.append("A")
                case "profession":
                    asked.append(profession)
                case "measure":
                    codes = [code for code, name in dimension.codes.items() if MEASURES[measure].search(name)]
                    if not codes:
                        names = ", ".join(f"{code} {name}" for code, name in dimension.codes.items())
                        raise SourceError(f"{label}: no measure is called a {measure} among: {names}")
                    asked.append("+".join(codes))
                case _:
                    asked.append("")
        return ".".join(asked)


def _utc(label: str, text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SourceError(f"{label}: the structure message is valid from {text!r}, no time") from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# -- source --------------------------------------------------------------------------------------------


class Oecd:
    """OECD health workforce migration: one pull a profession and measure, changes alone once it is landed."""

    name: str = NAME
    title: str = "OECD health workforce migration"
    publisher: str = "Organisation for Economic Co-operation and Development"
    licence: str = "CC BY 4.0"
    licence_url: str = "https://creativecommons.org/licenses/by/4.0/"
    attribution: str = "OECD, Health workforce migration, OECD Health Statistics"
    cadence: str = "About yearly, in July, with corrections late in the year"
    schedule: str = "0 6 * * 3"
    #: The service counts queries and downloads a host: one pull at a time.
    pool: str = "sdmx.oecd.org"
    pool_slots: int = 1
    default_base_url: str = "https://sdmx.oecd.org/public/rest"
    synthetic: bool = False
    modelled: bool = False
    resources: Sequence[Resource] = (OBSERVATION,)
    whole_pull_after: timedelta = timedelta(days=90)

    def slices(self) -> Sequence[Slice]:
        """Every measure of every profession, as ``PHYS.stock``."""
        return tuple(
            Slice(OBSERVATION.name, f"{profession}.{measure}")
            for profession in PROFESSIONS
            for measure in MEASURES
        )

    def conversation(self, part: Slice, connection: SourceConnection) -> Conversation:
        """The structure message, then everything that the slice holds."""
        return _ask(part, connection, None)

    def changes(self, part: Slice, connection: SourceConnection, since: str) -> Conversation:
        """The structure message, then what changed since, where it says that anything did."""
        return _ask(part, connection, since)

    def check(self, part: Slice, answer: Answer) -> None:
        """SourceError for anything but a structure message, SDMX-CSV, or the statement that there is none."""
        label, body = _label(part), answer.body.lstrip()
        if answer.status != HTTPStatus.OK:
            if _holds_no_data(answer):
                return
            said = body[:300].decode(errors="replace").strip()
            # The service also refuses by 403 what it understands: trying again changes nothing.
            raise SourceError(f"{label}: HTTP {answer.status}: {said}")
        wanted = "JSON" if _is_structure(answer) else "CSV"
        if not body:
            raise SourceError(f"{label}: HTTP 200 with an empty body", retryable=True)
        if body.startswith((b"<", b"\xef\xbb\xbf<")):
            kind = "HTML" if re.match(rb"\W*<(!doctype\s+)?html", body, re.IGNORECASE) else "XML"
            raise SourceError(f"{label}: {kind} instead of {wanted}", retryable=True)
        if _is_structure(answer):
            Structure.of(label, answer.body)
            return
        header = body.split(b"\n", 1)[0]
        if b"," not in header:
            said = header[:300].decode(errors="replace").strip()
            raise SourceError(f"{label}: error inside HTTP 200: {said}", retryable=True)
        _check_header(label, answer, read_table(label, answer.body))

    def read(self, part: Slice, answer: Answer) -> Reading:
        """The observations of a data answer; a structure message holds none, but when the data changed.

        Records without a value and without a status that says why are absent, as are deleted ones; both are
        withdrawn.
        """
        label = _label(part)
        if _is_structure(answer):
            return Reading(_nothing(), mark=Structure.of(label, answer.body).changed)
        if _holds_no_data(answer):
            return Reading(_nothing())
        table = read_table(label, answer.body)
        roles = _check_header(label, answer, table)
        profession, _, measure = part.name.partition(".")
        return _observations(label, table, roles, profession, measure)

    def records(self, part: Slice, answer: Answer) -> Sequence[memoryview | bytes]:
        """The lines of a data answer exactly as they came."""
        if _is_structure(answer) or _holds_no_data(answer):
            return ()
        return read_table(_label(part), answer.body).records


def _ask(part: Slice, connection: SourceConnection, since: str | None) -> Conversation:
    label = _label(part)
    profession, _, measure = part.name.partition(".")
    base = connection.base_url.rstrip("/")
    answer = yield Request(
        url=f"{base}/dataflow/{AGENCY}/{quote(DATAFLOW)}/latest?references=all",
        headers={"Accept": _STRUCTURE_JSON, "Accept-Language": "en"},
    )
    structure = Structure.of(label, answer.body)
    if since is not None and structure.changed is not None and structure.changed <= since:
        return
    roles = structure.roles(label)
    key = structure.key(label, roles, profession, measure)
    # Nothing after the second comma: the version in force. A pinned one breaks when it rolls.
    url = f"{base}/data/{AGENCY},{quote(DATAFLOW)},/{quote(key, safe='.+')}"
    known = {**roles, **dict.fromkeys(structure.attributes, "attribute")}
    yield Request(
        url=f"{url}?format=csvfile" if since is None else f"{url}?updatedAfter={quote(since)}",
        headers={"Accept-Language": "en", **({"Accept": _CHANGES_CSV} if since is not None else {})},
        # Whoever reads the answer from the archive has no structure message at hand.
        label=" ".join(f"{name}={role}" for name, role in known.items()),
    )


def _check_header(label: str, answer: Answer, table: Table) -> dict[str, str]:
    """Dimensions and attributes with their roles; SourceError where the header holds others, or lacks one."""
    known = dict(pair.split("=", 1) for pair in answer.request.label.split())
    required = {*_REQUIRED, *(name for name, role in known.items() if role != "attribute")}
    missing = sorted(required - set(table.header))
    unknown = sorted(set(table.header) - required - known.keys() - _FRAME_COLUMNS - _ATTRIBUTES.keys())
    if missing or unknown:
        raise SourceError(
            f"{label}: the header drifted from the structure message:"
            f" missing {', '.join(missing) or 'nothing'}, unknown {', '.join(unknown) or 'nothing'}"
        )
    return known


def _observations(
    label: str, table: Table, roles: Mapping[str, str], profession: str, measure: str
) -> Reading:
    columns = {role: name for name, role in roles.items() if role in _ROLES}
    further = sorted(name for name, role in roles.items() if role == "further")
    others = sorted(
        name
        for name, role in roles.items()
        if role == "attribute" and name in table.header and name not in _ATTRIBUTES
    )
    attributes = [name for name in (*_ATTRIBUTES, *others) if name in table.header]
    wire = {
        **columns,
        **{column: name for name, column in (_PLAIN | _ATTRIBUTES).items()},
        "dataflow": "DATAFLOW" if "DATAFLOW" in table.header else "STRUCTURE_ID",
        "action": "ACTION",
        "further_dimensions": " ".join(further),
        "further_attributes": " ".join(others),
    }

    def given(names: Sequence[str]) -> Sequence[pl.Expr]:
        return [pl.lit(False), *(pl.col(name).is_not_null() for name in names)]

    def text(column: str) -> pl.Expr:
        name = wire[column]
        found = pl.col(name) if name in table.header else pl.lit(None, dtype=pl.String)
        return found.alias(column)

    texts = table.frame.select(
        *map(text, (*columns, *_PLAIN.values(), *_ATTRIBUTES.values(), "dataflow", "action")),
        _json(further).alias("further_dimensions"),
        _json(others).alias("further_attributes"),
        pl.lit(measure).alias("measure_kind"),
        pl.any_horizontal(given(attributes)).alias("has_attributes"),
        pl.any_horizontal(pl.lit(False), *(pl.col(name).is_null() for name in further)).alias("is_bulk"),
        "record_no",
    )
    is_deleted = (pl.col("action") == "D").fill_null(False)
    is_explained = pl.col("obs_status").is_in(_EXPLAINED).fill_null(False)
    return typed(
        label,
        Table(table.header, texts, table.records, table.rejected),
        OBSERVATION,
        wire,
        rules=(
            _unknown("unknown_country", "ref_area", "country", "aggregate"),
            _unknown("unknown_country", "origin", "country", "origin_group"),
            _unknown("unknown_code", "unit_measure", "unit_measure"),
            Rule(
                "unknown_code",
                "profession",
                pl.col("profession") != profession,
                f"{{value}} where {profession} was asked for",
            ),
            Rule("missing_key", "further_dimensions", pl.col("is_bulk"), "a dimension is empty"),
            Rule("unknown_action", "action", ~pl.col("action").is_in(_ACTIONS), "{value} is no action"),
            # Which attribute goes, no version of the record could show: the next whole pull does.
            Rule(
                "partial_deletion",
                "action",
                is_deleted & pl.col("obs_value").is_null() & pl.col("has_attributes"),
                "deletes attributes and keeps the value",
            ),
        ),
        is_absent=is_deleted | (pl.col("obs_value").is_null() & ~is_explained),
        not_a_value=frozenset({"NaN"}),
    )


def _json(names: Sequence[str]) -> pl.Expr:
    """The fields that are not empty as JSON, sorted by name."""
    if not names:
        return pl.lit("{}")

    def encode(row: Mapping[str, str | None]) -> str:
        return msgspec.json.encode({name: text for name, text in row.items() if text is not None}).decode()

    return pl.struct(*names).map_elements(encode, return_dtype=pl.String)


def _unknown(reason: str, column: str, *code_types: str) -> Rule:
    known = sorted(frozenset().union(*(known_codes(NAME, code_type) for code_type in code_types)))
    return Rule(reason, column, ~pl.col(column).is_in(known), "{value} is no known code")


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema={**OBSERVATION.polars_schema, "record_no": pl.UInt32()})


def _is_structure(answer: Answer) -> bool:
    return f"/dataflow/{AGENCY}/" in answer.request.url


def _holds_no_data(answer: Answer) -> bool:
    return (
        answer.status == HTTPStatus.NOT_FOUND
        and not _is_structure(answer)
        and answer.body.strip().startswith(_NO_DATA)
    )


def _label(part: Slice) -> str:
    return f"{NAME} {part.resource} {part.name}"


SOURCE = Oecd()
