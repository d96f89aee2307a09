"""Indexes for long histories: what is live, what belongs to a service, what was written lately."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_index(
        "ix_deployments_live",
        "deployments",
        ["started_at", "id"],
        sqlite_where=sa.text("live = 1"),
        postgresql_where=sa.text("live"),
    )
    op.create_index("ix_deployments_service", "deployments", ["service", "environment", "started_at", "id"])
    op.create_index("ix_deployments_written_at", "deployments", ["written_at"])


def downgrade() -> None:
    """Drop them."""
    for name in ("ix_deployments_written_at", "ix_deployments_service", "ix_deployments_live"):
        op.drop_index(name, "deployments")
