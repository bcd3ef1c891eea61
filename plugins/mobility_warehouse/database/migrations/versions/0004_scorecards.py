"""Rules as data, what they found of each country, and scorecards of sources and countries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from mobility_warehouse.database.scorecard_views import VIEWS

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable, comment=comment)


def _count(name: str, comment: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, comment=comment)


def upgrade() -> None:
    op.create_table(
        "rule",
        _text("suite", "Suite that the rule belongs to: raw_<source>, marts, or dbt for tests of the build"),
        _text("asset", "The table judged"),
        _text("rule", "Stable name of the rule within suite and asset"),
        _text("severity", "critical stops a publication, warning is published with it, review asks a person"),
        _text("description", "What must hold, in words"),
        _text("origin", "Where it is stated: a file of expectations, declaration or catalogue, or dbt"),
        _text("ask", "Whom to ask of a case, an office; null but for review", nullable=True),
        sa.Column(
            "requirements",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Requirements of expectations/requirements.yml that the rule serves; empty where none",
        ),
        _text("first_run_id", "Run whose gate judged by it first"),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False, comment="When that was"),
        _text("last_run_id", "Last run whose gate judged by it; the rule is gone where later runs did not"),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False, comment="When that was"),
        sa.PrimaryKeyConstraint("suite", "asset", "rule"),
        schema="quality",
        comment="Every rule that a gate judged by or the build tested, as last stated.",
    )
    op.create_table(
        "country_finding",
        _count("gate_id", "The mart gate that found it"),
        _text("asset", "The mart judged"),
        _text("rule", "The rule, of severity critical or warning, that the rows do not meet"),
        _text("severity", "Severity of the rule"),
        _text("country_iso3", "Country that the rows name in any column, ISO 3166-1 alpha-3 code"),
        _count("rows", "Rows at fault that name the country"),
        sa.Column(
            "examples",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
            comment="Up to three of the rows, as the rule shows them",
        ),
        sa.PrimaryKeyConstraint("gate_id", "asset", "rule", "country_iso3"),
        sa.ForeignKeyConstraint(["gate_id"], ["quality.gate.gate_id"]),
        schema="quality",
        comment="What each mart gate found of each country: all rows at fault counted, not the first twenty.",
    )
    op.create_table(
        "country_score",
        _count("gate_id", "The mart gate that judged the candidate"),
        _text("country_iso3", "WHO Member State, ISO 3166-1 alpha-3 code"),
        sa.Column(
            "rounds_reported",
            postgresql.ARRAY(sa.Integer()),
            nullable=False,
            comment="Years of the rounds with a submitted report, sorted",
        ),
        sa.Column(
            "rounds_missing",
            postgresql.ARRAY(sa.Integer()),
            nullable=False,
            comment="Years of the landed rounds without one, incomplete responses among them, sorted",
        ),
        sa.Column(
            "latest_round",
            sa.Integer(),
            comment="Year of the latest round with a submitted report; null where there is none",
        ),
        sa.Column(
            "answered_share",
            sa.Double(),
            comment="Questions answered over questions shown in the latest report, 0 to 1",
        ),
        _count(
            "questions_empty", "Questions of the latest report that were shown and left empty", nullable=True
        ),
        _count(
            "disagreements", "Assistance and agreements that another party, which reported, does not confirm"
        ),
        sa.Column(
            "is_synthetic",
            sa.Boolean(),
            nullable=False,
            comment="Whether any report of the country is synthetic",
        ),
        sa.PrimaryKeyConstraint("gate_id", "country_iso3"),
        sa.ForeignKeyConstraint(["gate_id"], ["quality.gate.gate_id"]),
        schema="quality",
        comment="What each Member State reported and what is missing, in each candidate that a gate judged.",
    )
    for view in VIEWS:
        for statement in view.statements:
            # Straight to the driver: a colon is no parameter.
            op.get_bind().exec_driver_sql(statement.replace("%", "%%"))


def downgrade() -> None:
    for view in reversed(VIEWS):
        op.execute(f"drop view {view.name}")
    for table in ("country_score", "country_finding", "rule"):
        op.drop_table(table, schema="quality")
