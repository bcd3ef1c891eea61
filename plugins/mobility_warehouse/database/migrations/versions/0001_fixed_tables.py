"""The fixed tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gate",
        sa.Column("gate_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False, comment="raw or mart"),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="A source for the raw gate, 'marts' for the mart gate",
        ),
        sa.Column("passed", sa.Boolean(), nullable=False, comment="No critical expectation failed"),
        sa.Column("expectations", sa.Integer(), nullable=False),
        sa.Column("critical_failures", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gate_id"),
        schema="quality",
        comment="One row per gate that ran.",
    )
    op.create_table(
        "publication",
        sa.Column("publication_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column(
            "as_of",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Transaction time of raw that the candidate was built on",
        ),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "high_water_fetch_id", sa.BigInteger(), nullable=True, comment="Greatest fetch id landed at as_of"
        ),
        sa.Column(
            "code_revision",
            sa.Text(),
            nullable=False,
            comment="Commit, or hash of the code tree, that built it",
        ),
        sa.Column("reference_hash", sa.Text(), nullable=False, comment="Hash over all reference seeds used"),
        sa.Column("gate_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("publication_id"),
        sa.UniqueConstraint("run_id"),
        schema="quality",
        comment="Every publication: what it was built from and that it passed.",
    )
    op.create_table(
        "body",
        sa.Column("sha256", sa.LargeBinary(), nullable=False, comment="SHA-256 of the bytes as received"),
        sa.Column("bytes_zstd", sa.LargeBinary(), nullable=False, comment="The bytes, Zstandard-compressed"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="Length as received, in bytes"),
        sa.Column("media_type", sa.Text(), nullable=True, comment="Content-Type as sent"),
        sa.Column(
            "archived_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("sha256"),
        schema="raw",
        comment="Every body ever fetched, once per content.",
    )
    op.create_table(
        "fetch",
        sa.Column("fetch_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column(
            "slice",
            sa.Text(),
            nullable=False,
            comment="What the pull covers: an indicator, a survey, a dimension",
        ),
        sa.Column(
            "url", sa.Text(), nullable=True, comment="URL of the pull's first request, without secrets"
        ),
        sa.Column("run_id", sa.Text(), nullable=True, comment="Run of the orchestrator that made the pull"),
        sa.Column(
            "synthetic", sa.Boolean(), nullable=False, comment="Whether the source serves synthetic records"
        ),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "landed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Transaction time of every version that this fetch opened or closed",
        ),
        sa.Column("outcome", sa.Text(), server_default="running", nullable=False),
        sa.Column("message", sa.Text(), nullable=True, comment="Why the fetch failed or was refused"),
        sa.Column(
            "bytes_sha256",
            sa.LargeBinary(),
            nullable=True,
            comment="SHA-256 over the bodies' SHA-256s, in order: proof",
        ),
        sa.Column(
            "content_hash",
            sa.UUID(),
            nullable=True,
            comment="Order-free hash of the canonical content without volatile columns",
        ),
        sa.Column(
            "declaration_hash",
            sa.Text(),
            nullable=True,
            comment="Hash of the resource's declaration that read the answers",
        ),
        sa.Column("byte_count", sa.BigInteger(), nullable=True),
        sa.Column("read", sa.BigInteger(), nullable=True, comment="Records read"),
        sa.Column("inserted", sa.BigInteger(), nullable=True, comment="Records counted as inserted"),
        sa.Column("revised", sa.BigInteger(), nullable=True, comment="Records counted as revised"),
        sa.Column("unchanged", sa.BigInteger(), nullable=True, comment="Records counted as unchanged"),
        sa.Column("noise", sa.BigInteger(), nullable=True, comment="Records counted as noise"),
        sa.Column("duplicate", sa.BigInteger(), nullable=True, comment="Records counted as duplicate"),
        sa.Column("superseded", sa.BigInteger(), nullable=True, comment="Records counted as superseded"),
        sa.Column("absent", sa.BigInteger(), nullable=True, comment="Records counted as absent"),
        sa.Column("quarantined", sa.BigInteger(), nullable=True, comment="Records counted as quarantined"),
        sa.Column(
            "withdrawn",
            sa.BigInteger(),
            nullable=True,
            comment="Current versions closed because the pull no longer holds them",
        ),
        sa.Column(
            "accepted_fetch_id",
            sa.BigInteger(),
            nullable=True,
            comment="The refused fetch that a person accepted with this one",
        ),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome in ('running', 'loaded', 'unchanged', 'refused', 'failed')", name="outcome_known"
        ),
        sa.CheckConstraint(
            "outcome not in ('loaded', 'unchanged') or read = coalesce(inserted, 0)"
            " + coalesce(revised, 0) + coalesce(unchanged, 0)"
            " + coalesce(noise, 0) + coalesce(duplicate, 0) + coalesce(superseded, 0)"
            " + coalesce(absent, 0) + coalesce(quarantined, 0)",
            name="every_record_counted",
        ),
        sa.PrimaryKeyConstraint("fetch_id"),
        schema="raw",
        comment="One row per pull of one slice of a resource: what was asked, what came, what it changed.",
    )
    op.create_index(
        "fetch_by_slice", "fetch", ["source", "resource", "slice", "fetch_id"], unique=False, schema="raw"
    )
    op.create_table(
        "body",
        sa.Column("sha256", sa.LargeBinary(), nullable=False, comment="SHA-256 of the bytes as received"),
        sa.Column("bytes_zstd", sa.LargeBinary(), nullable=False, comment="The bytes, Zstandard-compressed"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="Length as received, in bytes"),
        sa.Column("media_type", sa.Text(), nullable=True, comment="Content-Type as sent"),
        sa.Column(
            "archived_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("sha256"),
        schema="restricted",
        comment="Bodies of resources that hold personal data.",
    )
    op.create_table(
        "expectation_result",
        sa.Column("result_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("gate_id", sa.BigInteger(), nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False, comment="The table judged"),
        sa.Column("rule", sa.Text(), nullable=False, comment="Stable name of the rule"),
        sa.Column("expectation", sa.Text(), nullable=False, comment="Type of expectation"),
        sa.Column("column_name", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("element_count", sa.BigInteger(), nullable=True),
        sa.Column("unexpected_count", sa.BigInteger(), nullable=True),
        sa.Column("unexpected_share", sa.Double(), nullable=True),
        sa.Column("observed", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "unexpected_rows",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="Up to 20 of the rows at fault",
        ),
        sa.Column("description", sa.Text(), nullable=True),
        sa.CheckConstraint("severity in ('critical', 'warning', 'info')", name="severity_known"),
        sa.ForeignKeyConstraint(
            ["gate_id"],
            ["quality.gate.gate_id"],
        ),
        sa.PrimaryKeyConstraint("result_id"),
        schema="quality",
        comment="Every expectation's result of every gate.",
    )
    op.create_index(
        "expectation_result_by_gate", "expectation_result", ["gate_id"], unique=False, schema="quality"
    )
    op.create_table(
        "mart_change",
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("mart", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column(
            "row_key",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Primary key of the mart's row",
        ),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("change in ('added', 'revised', 'withdrawn')", name="change_known"),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["quality.publication.publication_id"],
        ),
        schema="quality",
        comment="Every row that a publication added, revised or withdrew, after the first publication.",
    )
    op.create_index(
        "mart_change_by_publication",
        "mart_change",
        ["publication_id", "mart"],
        unique=False,
        schema="quality",
    )
    op.create_table(
        "publication_mart",
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("mart", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("inserted", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False, comment="Order-free hash of the mart's rows"),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["quality.publication.publication_id"],
        ),
        sa.PrimaryKeyConstraint("publication_id", "mart"),
        schema="quality",
        comment="Per publication and mart: rows and what changed.",
    )
    op.create_table(
        "response",
        sa.Column("response_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("fetch_id", sa.BigInteger(), nullable=False),
        sa.Column("response_no", sa.Integer(), nullable=False, comment="Position within the fetch, from 0"),
        sa.Column(
            "label",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="RPC method, where the URL does not tell",
        ),
        sa.Column("url", sa.Text(), nullable=False, comment="URL as asked, without secrets"),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column(
            "headers",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Answer headers, without cookies",
        ),
        sa.Column(
            "sha256",
            sa.LargeBinary(),
            nullable=False,
            comment="Key of the body in raw.body or restricted.body",
        ),
        sa.Column(
            "restricted", sa.Boolean(), nullable=False, comment="Whether the body lies in restricted.body"
        ),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("elapsed_seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fetch_id"],
            ["raw.fetch.fetch_id"],
        ),
        sa.PrimaryKeyConstraint("response_id"),
        sa.UniqueConstraint("fetch_id", "response_no", name="response_position"),
        schema="raw",
        comment="One row per archived HTTP answer, whatever became of the pull.",
    )
    op.create_table(
        "stale",
        sa.Column("stale_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.UUID(), nullable=False),
        sa.Column("stale_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "stale_to", sa.DateTime(timezone=True), server_default=sa.text("'infinity'"), nullable=False
        ),
        sa.Column("fetch_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fetch_id"],
            ["raw.fetch.fetch_id"],
        ),
        sa.PrimaryKeyConstraint("stale_id"),
        schema="raw",
        comment="Keys whose current version stands although a later pull held an invalid record for them.",
    )
    op.create_index("stale_by_key", "stale", ["source", "resource", "key_hash"], unique=False, schema="raw")
    op.create_table(
        "record",
        sa.Column("quarantine_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("fetch_id", sa.BigInteger(), nullable=False),
        sa.Column("response_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("slice", sa.Text(), nullable=False),
        sa.Column("record_no", sa.BigInteger(), nullable=True, comment="Position within the answer, from 0"),
        sa.Column(
            "record_key",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="As much of the natural key as could be read",
        ),
        sa.Column("key_hash", sa.UUID(), nullable=True),
        sa.Column("field", sa.Text(), nullable=True, comment="The field at fault, where one is"),
        sa.Column(
            "reason", sa.Text(), nullable=False, comment="Stable code of the rule that rejected the record"
        ),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column(
            "bytes",
            sa.LargeBinary(),
            nullable=True,
            comment="The record's bytes; null where they are in restricted.quarantined",
        ),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column(
            "quarantined_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "resolved_fetch_id",
            sa.BigInteger(),
            nullable=True,
            comment="Fetch that landed the record after a fix",
        ),
        sa.CheckConstraint("status in ('open', 'replayed', 'superseded', 'dismissed')", name="status_known"),
        sa.ForeignKeyConstraint(
            ["fetch_id"],
            ["raw.fetch.fetch_id"],
        ),
        sa.ForeignKeyConstraint(
            ["response_id"],
            ["raw.response.response_id"],
        ),
        sa.PrimaryKeyConstraint("quarantine_id"),
        schema="quarantine",
        comment="Rejected records: nothing that was read is lost.",
    )
    op.create_index(
        "quarantine_by_slice", "record", ["source", "resource", "slice"], unique=False, schema="quarantine"
    )
    op.create_table(
        "quarantined",
        sa.Column("quarantine_id", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["quarantine_id"],
            ["quarantine.record.quarantine_id"],
        ),
        sa.PrimaryKeyConstraint("quarantine_id"),
        schema="restricted",
        comment="Bytes of quarantined records that may hold personal data.",
    )
    # Bodies are compressed already: PostgreSQL's own compression would only cost time.
    op.execute("alter table raw.body alter column bytes_zstd set storage external")
    op.execute("alter table restricted.body alter column bytes_zstd set storage external")


def downgrade() -> None:
    op.drop_table("quarantined", schema="restricted")
    op.drop_index("quarantine_by_slice", table_name="record", schema="quarantine")
    op.drop_table("record", schema="quarantine")
    op.drop_index("stale_by_key", table_name="stale", schema="raw")
    op.drop_table("stale", schema="raw")
    op.drop_table("response", schema="raw")
    op.drop_table("publication_mart", schema="quality")
    op.drop_index("mart_change_by_publication", table_name="mart_change", schema="quality")
    op.drop_table("mart_change", schema="quality")
    op.drop_index("expectation_result_by_gate", table_name="expectation_result", schema="quality")
    op.drop_table("expectation_result", schema="quality")
    op.drop_table("body", schema="restricted")
    op.drop_index("fetch_by_slice", table_name="fetch", schema="raw")
    op.drop_table("fetch", schema="raw")
    op.drop_table("body", schema="raw")
    op.drop_table("publication", schema="quality")
    op.drop_table("gate", schema="quality")
