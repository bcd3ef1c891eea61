"""Cases for review, marts that were retired."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column(
            "review_id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Number of the case",
        ),
        sa.Column(
            "suite",
            sa.Text(),
            nullable=False,
            comment="Suite of rules that found it, as marts or raw_who_gho",
        ),
        sa.Column("rule", sa.Text(), nullable=False, comment="Rule of severity review that found it"),
        sa.Column("asset", sa.Text(), nullable=False, comment="The table judged"),
        sa.Column(
            "row_key",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
            comment="Columns that name the case",
        ),
        sa.Column("figure", sa.Double(), comment="The figure that is suspicious, in unit"),
        sa.Column("compared_with", sa.Double(), comment="The figure that it does not fit, in unit"),
        sa.Column("unit", sa.Text(), nullable=False, comment="Unit of both figures"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why it is suspicious, in words"),
        sa.Column("ask", sa.Text(), nullable=False, comment="Whom to ask: an office or role, never a person"),
        sa.Column(
            "fetch_ids",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="Fetches that both figures came from",
        ),
        sa.Column(
            "is_synthetic",
            sa.Boolean(),
            nullable=False,
            comment="Whether a figure rests on synthetic records",
        ),
        sa.Column(
            "status",
            sa.Text(),
            server_default="open",
            nullable=False,
            comment="open; resolved by a person; gone where the rule no longer finds it",
        ),
        sa.Column("first_run_id", sa.Text(), nullable=False, comment="Run whose gate found it first"),
        sa.Column(
            "first_seen", sa.DateTime(timezone=True), nullable=False, comment="When a gate found it first"
        ),
        sa.Column("last_run_id", sa.Text(), nullable=False, comment="Last run whose gate found it"),
        sa.Column(
            "last_seen", sa.DateTime(timezone=True), nullable=False, comment="When a gate found it last"
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), comment="When it was resolved"),
        sa.Column("resolved_by", sa.Text(), comment="Who resolved it"),
        sa.Column("resolution", sa.Text(), comment="Why it is resolved, in words"),
        sa.CheckConstraint("status in ('open', 'resolved', 'gone')", name="status_known"),
        sa.CheckConstraint(
            "(status = 'resolved') = (num_nonnulls(resolved_at, resolved_by, resolution) = 3)",
            name="resolution_is_whole",
        ),
        sa.PrimaryKeyConstraint("review_id"),
        schema="quality",
        comment=(
            "Suspicious, not wrong: cases that no rule can decide, kept over runs until a person has looked."
        ),
    )
    op.create_index("review_by_case", "review", ["suite", "rule", "row_key"], schema="quality")
    op.create_table(
        "retired_mart",
        sa.Column("retirement_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mart", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False, comment="Rows that it held when it was dropped"),
        sa.Column("publication_id", sa.BigInteger(), comment="Last publication before it was dropped"),
        sa.Column(
            "retired_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("retired_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["quality.publication.publication_id"]),
        sa.PrimaryKeyConstraint("retirement_id"),
        schema="quality",
        comment="Marts that were dropped because the project no longer builds them: when, by whom and why.",
    )
    _know_severities("'critical', 'warning', 'review', 'info'")


def downgrade() -> None:
    _know_severities("'critical', 'warning', 'info'")
    op.drop_table("retired_mart", schema="quality")
    op.drop_table("review", schema="quality")


def _know_severities(names: str) -> None:
    op.drop_constraint("severity_known", "expectation_result", schema="quality", type_="check")
    op.create_check_constraint(
        "severity_known", "expectation_result", f"severity in ({names})", schema="quality"
    )
