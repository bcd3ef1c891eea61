"""Pulls of changes alone: since which mark they asked, and how far they reached."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "fetch",
        sa.Column(
            "changes_since",
            sa.Text(),
            comment="Mark since which changes alone were asked for; null where the slice was asked for whole",
        ),
        schema="raw",
    )
    op.add_column(
        "fetch",
        sa.Column(
            "mark", sa.Text(), comment="How far the publisher's own record of changes reached in the answers"
        ),
        schema="raw",
    )


def downgrade() -> None:
    op.drop_column("fetch", "mark", schema="raw")
    op.drop_column("fetch", "changes_since", schema="raw")
