"""The fixed tables of the warehouse, declared once; Alembic migrates them, the landing fills them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

metadata = MetaData()

SCHEMAS: dict[str, str] = {
    "raw": "Archived bodies, the log of fetches and the typed versions of every record; written by ingest.",
    "quarantine": "Rejected records with reason and bytes; for data engineers.",
    "restricted": "Bodies of sources with personal data, contacts, tokens, free text; Secretariat only.",
    "reference": "Reviewed seeds: Code versions and articles, crosswalks, lists, occupations, regions.",
    "staging": "dbt: one model per landed resource, as of the build's moment.",
    "intermediate": "dbt: joined and derived models.",
    "audit": "dbt: the candidate marts of the current run, judged by the gates.",
    "marts": "The last publication that passed every critical rule.",
    "quality": "Every expectation's result, scorecards, reconciliations, publications and what they changed.",
}


def _timestamp(name: str, **options: object) -> Column[object]:
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]


def _body_table(schema: str, comment: str) -> Table:
    return Table(
        "body",
        metadata,
        Column("sha256", LargeBinary, primary_key=True, comment="SHA-256 of the bytes as received"),
        Column("bytes_zstd", LargeBinary, nullable=False, comment="The bytes, Zstandard-compressed"),
        Column("size_bytes", BigInteger, nullable=False, comment="Length as received, in bytes"),
        Column("media_type", Text, comment="Content-Type as sent"),
        _timestamp("archived_at", nullable=False, server_default=func.clock_timestamp()),
        schema=schema,
        comment=comment,
    )


raw_body = _body_table("raw", "Every body ever fetched, once per content.")
restricted_body = _body_table("restricted", "Bodies of resources that hold personal data.")

OUTCOMES = ("running", "loaded", "unchanged", "refused", "failed")
COUNTED = (
    "inserted",
    "revised",
    "unchanged",
    "noise",
    "duplicate",
    "superseded",
    "absent",
    "quarantined",
)

raw_fetch = Table(
    "fetch",
    metadata,
    Column("fetch_id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column(
        "slice", Text, nullable=False, comment="What the pull covers: an indicator, a survey, a dimension"
    ),
    Column("url", Text, comment="URL of the pull's first request, without secrets"),
    Column("run_id", Text, comment="Run of the orchestrator that made the pull"),
    Column("synthetic", Boolean, nullable=False, comment="Whether the source serves synthetic records"),
    _timestamp("started_at", nullable=False, server_default=func.clock_timestamp()),
    _timestamp("finished_at"),
    _timestamp("landed_at", comment="Transaction time of every version that this fetch opened or closed"),
    Column("outcome", Text, nullable=False, server_default="running"),
    Column("message", Text, comment="Why the fetch failed or was refused"),
    Column("bytes_sha256", LargeBinary, comment="SHA-256 over the bodies' SHA-256s, in order: proof"),
    Column("content_hash", UUID, comment="Order-free hash of the canonical content without volatile columns"),
    Column("declaration_hash", Text, comment="Hash of the resource's declaration that read the answers"),
    Column("byte_count", BigInteger),
    Column("read", BigInteger, comment="Records read"),
    *(Column(name, BigInteger, comment=f"Records counted as {name}") for name in COUNTED),
    Column("withdrawn", BigInteger, comment="Current versions closed because the pull no longer holds them"),
    Column(
        "changes_since",
        Text,
        comment="Mark since which changes alone were asked for; null where the slice was asked for whole",
    ),
    Column("mark", Text, comment="How far the publisher's own record of changes reached in the answers"),
    Column("accepted_fetch_id", BigInteger, comment="The refused fetch that a person accepted with this one"),
    Column("accepted_by", Text),
    CheckConstraint(
        "outcome in ('running', 'loaded', 'unchanged', 'refused', 'failed')", name="outcome_known"
    ),
    CheckConstraint(
        "outcome not in ('loaded', 'unchanged') or read = "
        + " + ".join(f"coalesce({name}, 0)" for name in COUNTED),
        name="every_record_counted",
    ),
    Index("fetch_by_slice", "source", "resource", "slice", "fetch_id"),
    schema="raw",
    comment="One row per pull of one slice of a resource: what was asked, what came, what it changed.",
)

raw_response = Table(
    "response",
    metadata,
    Column("response_id", BigInteger, Identity(), primary_key=True),
    Column("fetch_id", BigInteger, ForeignKey("raw.fetch.fetch_id"), nullable=False),
    Column("response_no", Integer, nullable=False, comment="Position within the fetch, from 0"),
    Column(
        "label", Text, nullable=False, server_default="", comment="RPC method, where the URL does not tell"
    ),
    Column("url", Text, nullable=False, comment="URL as asked, without secrets"),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB(none_as_null=True), nullable=False, comment="Answer headers, without cookies"),
    Column("sha256", LargeBinary, nullable=False, comment="Key of the body in raw.body or restricted.body"),
    Column("restricted", Boolean, nullable=False, comment="Whether the body lies in restricted.body"),
    Column("size_bytes", BigInteger, nullable=False),
    _timestamp("requested_at", nullable=False),
    Column("elapsed_seconds", Double, nullable=False),
    UniqueConstraint("fetch_id", "response_no", name="response_position"),
    schema="raw",
    comment="One row per archived HTTP answer, whatever became of the pull.",
)

raw_stale = Table(
    "stale",
    metadata,
    Column("stale_id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("key_hash", UUID, nullable=False),
    _timestamp("stale_from", nullable=False),
    _timestamp("stale_to", nullable=False, server_default=text("'infinity'")),
    Column("fetch_id", BigInteger, ForeignKey("raw.fetch.fetch_id"), nullable=False),
    Index("stale_by_key", "source", "resource", "key_hash"),
    schema="raw",
    comment="Keys whose current version stands although a later pull held an invalid record for them.",
)

quarantine_record = Table(
    "record",
    metadata,
    Column("quarantine_id", BigInteger, Identity(), primary_key=True),
    Column("fetch_id", BigInteger, ForeignKey("raw.fetch.fetch_id"), nullable=False),
    Column("response_id", BigInteger, ForeignKey("raw.response.response_id")),
    Column("source", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("slice", Text, nullable=False),
    Column("record_no", BigInteger, comment="Position within the answer, from 0"),
    Column("record_key", JSONB(none_as_null=True), comment="As much of the natural key as could be read"),
    Column("key_hash", UUID),
    Column("field", Text, comment="The field at fault, where one is"),
    Column("reason", Text, nullable=False, comment="Stable code of the rule that rejected the record"),
    Column("message", Text, nullable=False),
    Column("bytes", LargeBinary, comment="The record's bytes; null where they are in restricted.quarantined"),
    Column("status", Text, nullable=False, server_default="open"),
    _timestamp("quarantined_at", nullable=False, server_default=func.clock_timestamp()),
    _timestamp("resolved_at"),
    Column("resolved_fetch_id", BigInteger, comment="Fetch that landed the record after a fix"),
    CheckConstraint("status in ('open', 'replayed', 'superseded', 'dismissed')", name="status_known"),
    Index("quarantine_by_slice", "source", "resource", "slice"),
    schema="quarantine",
    comment="Rejected records: nothing that was read is lost.",
)

restricted_quarantined = Table(
    "quarantined",
    metadata,
    Column(
        "quarantine_id",
        BigInteger,
        ForeignKey("quarantine.record.quarantine_id"),
        primary_key=True,
    ),
    Column("bytes", LargeBinary, nullable=False),
    schema="restricted",
    comment="Bytes of quarantined records that may hold personal data.",
)

quality_gate = Table(
    "gate",
    metadata,
    Column("gate_id", BigInteger, Identity(), primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("gate", Text, nullable=False, comment="raw or mart"),
    Column("subject", Text, nullable=False, comment="A source for the raw gate, 'marts' for the mart gate"),
    Column("passed", Boolean, nullable=False, comment="No critical expectation failed"),
    Column("expectations", Integer, nullable=False),
    Column("critical_failures", Integer, nullable=False),
    Column("warnings", Integer, nullable=False),
    _timestamp("started_at", nullable=False),
    _timestamp("finished_at", nullable=False),
    schema="quality",
    comment="One row per gate that ran.",
)

quality_expectation_result = Table(
    "expectation_result",
    metadata,
    Column("result_id", BigInteger, Identity(), primary_key=True),
    Column("gate_id", BigInteger, ForeignKey("quality.gate.gate_id"), nullable=False),
    Column("suite", Text, nullable=False),
    Column("asset", Text, nullable=False, comment="The table judged"),
    Column("rule", Text, nullable=False, comment="Stable name of the rule"),
    Column("expectation", Text, nullable=False, comment="Type of expectation"),
    Column("column_name", Text),
    Column("severity", Text, nullable=False),
    Column("success", Boolean, nullable=False),
    Column("element_count", BigInteger),
    Column("unexpected_count", BigInteger),
    Column("unexpected_share", Double),
    Column("observed", JSONB(none_as_null=True)),
    Column("unexpected_rows", JSONB(none_as_null=True), comment="Up to 20 of the rows at fault"),
    Column("description", Text),
    CheckConstraint("severity in ('critical', 'warning', 'review', 'info')", name="severity_known"),
    Index("expectation_result_by_gate", "gate_id"),
    schema="quality",
    comment="Every expectation's result of every gate.",
)

quality_publication = Table(
    "publication",
    metadata,
    Column("publication_id", BigInteger, Identity(), primary_key=True),
    Column("run_id", Text, nullable=False, unique=True),
    _timestamp("as_of", nullable=False, comment="Transaction time of raw that the candidate was built on"),
    _timestamp("published_at", nullable=False, server_default=func.clock_timestamp()),
    Column("high_water_fetch_id", BigInteger, comment="Greatest fetch id landed at as_of"),
    Column("code_revision", Text, nullable=False, comment="Commit, or hash of the code tree, that built it"),
    Column("reference_hash", Text, nullable=False, comment="Hash over all reference seeds used"),
    Column("gate_ids", ARRAY(BigInteger), nullable=False),
    schema="quality",
    comment="Every publication: what it was built from and that it passed.",
)

quality_publication_mart = Table(
    "publication_mart",
    metadata,
    Column(
        "publication_id",
        BigInteger,
        ForeignKey("quality.publication.publication_id"),
        primary_key=True,
    ),
    Column("mart", Text, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("inserted", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("deleted", BigInteger, nullable=False),
    Column("content_hash", Text, nullable=False, comment="Order-free hash of the mart's rows"),
    schema="quality",
    comment="Per publication and mart: rows and what changed.",
)

quality_mart_change = Table(
    "mart_change",
    metadata,
    Column(
        "publication_id",
        BigInteger,
        ForeignKey("quality.publication.publication_id"),
        nullable=False,
    ),
    Column("mart", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("row_key", JSONB(none_as_null=True), nullable=False, comment="Primary key of the mart's row"),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    CheckConstraint("change in ('added', 'revised', 'withdrawn')", name="change_known"),
    Index("mart_change_by_publication", "publication_id", "mart"),
    schema="quality",
    comment="Every row that a publication added, revised or withdrew, after the first publication.",
)

quality_review = Table(
    "review",
    metadata,
    Column("review_id", BigInteger, Identity(), primary_key=True, comment="Number of the case"),
    Column("suite", Text, nullable=False, comment="Suite of rules that found it, as marts or raw_who_gho"),
    Column("rule", Text, nullable=False, comment="Rule of severity review that found it"),
    Column("asset", Text, nullable=False, comment="The table judged"),
    Column("row_key", JSONB(none_as_null=True), nullable=False, comment="Columns that name the case"),
    Column("figure", Double, comment="The figure that is suspicious, in unit"),
    Column("compared_with", Double, comment="The figure that it does not fit, in unit"),
    Column("unit", Text, nullable=False, comment="Unit of both figures"),
    Column("reason", Text, nullable=False, comment="Why it is suspicious, in words"),
    Column("ask", Text, nullable=False, comment="Whom to ask: an office or role, never a person"),
    Column("fetch_ids", ARRAY(BigInteger), nullable=False, comment="Fetches that both figures came from"),
    Column("is_synthetic", Boolean, nullable=False, comment="Whether a figure rests on synthetic records"),
    Column(
        "status",
        Text,
        nullable=False,
        server_default="open",
        comment="open; resolved by a person; gone where the rule no longer finds it",
    ),
    Column("first_run_id", Text, nullable=False, comment="Run whose gate found it first"),
    _timestamp("first_seen", nullable=False, comment="When a gate found it first"),
    Column("last_run_id", Text, nullable=False, comment="Last run whose gate found it"),
    _timestamp("last_seen", nullable=False, comment="When a gate found it last"),
    _timestamp("resolved_at", comment="When it was resolved"),
    Column("resolved_by", Text, comment="Who resolved it"),
    Column("resolution", Text, comment="Why it is resolved, in words"),
    CheckConstraint("status in ('open', 'resolved', 'gone')", name="status_known"),
    CheckConstraint(
        "(status = 'resolved') = (num_nonnulls(resolved_at, resolved_by, resolution) = 3)",
        name="resolution_is_whole",
    ),
    Index("review_by_case", "suite", "rule", "row_key"),
    schema="quality",
    comment="Suspicious, not wrong: cases that no rule can decide, kept over runs until a person has looked.",
)

quality_retired_mart = Table(
    "retired_mart",
    metadata,
    Column("retirement_id", BigInteger, Identity(), primary_key=True),
    Column("mart", Text, nullable=False),
    Column("rows", BigInteger, nullable=False, comment="Rows that it held when it was dropped"),
    Column(
        "publication_id",
        BigInteger,
        ForeignKey("quality.publication.publication_id"),
        comment="Last publication before it was dropped",
    ),
    _timestamp("retired_at", nullable=False, server_default=func.clock_timestamp()),
    Column("retired_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    schema="quality",
    comment="Marts that were dropped because the project no longer builds them: when, by whom and why.",
)

quality_rule = Table(
    "rule",
    metadata,
    Column(
        "suite",
        Text,
        primary_key=True,
        comment="Suite that the rule belongs to: raw_<source>, marts, or dbt for tests of the build",
    ),
    Column("asset", Text, primary_key=True, comment="The table judged"),
    Column("rule", Text, primary_key=True, comment="Stable name of the rule within suite and asset"),
    Column(
        "severity",
        Text,
        nullable=False,
        comment="critical stops a publication, warning is published with it, review asks a person",
    ),
    Column("description", Text, nullable=False, comment="What must hold, in words"),
    Column(
        "origin",
        Text,
        nullable=False,
        comment="Where it is stated: a file of expectations, declaration or catalogue, or dbt",
    ),
    Column("ask", Text, comment="Whom to ask of a case, an office; null but for review"),
    Column(
        "requirements",
        ARRAY(Text),
        nullable=False,
        comment="Requirements of expectations/requirements.yml that the rule serves; empty where none",
    ),
    Column("first_run_id", Text, nullable=False, comment="Run whose gate judged by it first"),
    _timestamp("first_seen", nullable=False, comment="When that was"),
    Column(
        "last_run_id",
        Text,
        nullable=False,
        comment="Last run whose gate judged by it; the rule is gone where later runs did not",
    ),
    _timestamp("last_seen", nullable=False, comment="When that was"),
    schema="quality",
    comment="Every rule that a gate judged by or the build tested, as last stated.",
)

quality_country_finding = Table(
    "country_finding",
    metadata,
    Column(
        "gate_id",
        BigInteger,
        ForeignKey("quality.gate.gate_id"),
        primary_key=True,
        comment="The mart gate that found it",
    ),
    Column("asset", Text, primary_key=True, comment="The mart judged"),
    Column(
        "rule",
        Text,
        primary_key=True,
        comment="The rule, of severity critical or warning, that the rows do not meet",
    ),
    Column("severity", Text, nullable=False, comment="Severity of the rule"),
    Column(
        "country_iso3",
        Text,
        primary_key=True,
        comment="Country that the rows name in any column, ISO 3166-1 alpha-3 code",
    ),
    Column("rows", BigInteger, nullable=False, comment="Rows at fault that name the country"),
    Column(
        "examples",
        JSONB(none_as_null=True),
        nullable=False,
        comment="Up to three of the rows, as the rule shows them",
    ),
    schema="quality",
    comment="What each mart gate found of each country: all rows at fault counted, not the first twenty.",
)

quality_country_score = Table(
    "country_score",
    metadata,
    Column(
        "gate_id",
        BigInteger,
        ForeignKey("quality.gate.gate_id"),
        primary_key=True,
        comment="The mart gate that judged the candidate",
    ),
    Column("country_iso3", Text, primary_key=True, comment="WHO Member State, ISO 3166-1 alpha-3 code"),
    Column(
        "rounds_reported",
        ARRAY(Integer),
        nullable=False,
        comment="Years of the rounds with a submitted report, sorted",
    ),
    Column(
        "rounds_missing",
        ARRAY(Integer),
        nullable=False,
        comment="Years of the landed rounds without one, incomplete responses among them, sorted",
    ),
    Column(
        "latest_round",
        Integer,
        comment="Year of the latest round with a submitted report; null where there is none",
    ),
    Column(
        "answered_share",
        Double,
        comment="Questions answered over questions shown in the latest report, 0 to 1",
    ),
    Column(
        "questions_empty", BigInteger, comment="Questions of the latest report that were shown and left empty"
    ),
    Column(
        "disagreements",
        BigInteger,
        nullable=False,
        comment="Assistance and agreements that another party, which reported, does not confirm",
    ),
    Column(
        "is_synthetic",
        Boolean,
        nullable=False,
        comment="Whether any report of the country is synthetic",
    ),
    schema="quality",
    comment="What each Member State reported and what is missing, in each candidate that a gate judged.",
)
