"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables. Instants are whole microseconds since 1970 UTC."""
    op.create_table(
        "calendar_events",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_calendar_events"),
    )
    op.create_table(
        "checklists",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("markdown", sa.LargeBinary(), nullable=False),
        sa.Column("policy", sa.Text()),
        sa.PrimaryKeyConstraint("digest", name="pk_checklists"),
    )
    op.create_table(
        "deliveries",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_deliveries"),
    )
    op.create_table(
        "deployments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("checklist", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.Column("deployed_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
    )
    op.create_index(
        "ix_deployments_one_lock",
        "deployments",
        ["service", "environment"],
        unique=True,
        sqlite_where=sa.text("locked = 1"),
        postgresql_where=sa.text("locked"),
    )
    op.create_index("ix_deployments_started_at", "deployments", ["started_at", "id"])

    op.create_table(
        "deadlines",
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("held_by", sa.String()),
        sa.Column("held_until", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["deployment"], ["deployments.id"], name="fk_deadlines_deployment", deferrable=True, initially="DEFERRED"
        ),
        sa.PrimaryKeyConstraint("deployment", "key", name="pk_deadlines"),
    )
    op.create_index(
        "ix_deadlines_open",
        "deadlines",
        ["due"],
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )

    op.create_table(
        "events",
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment"], ["deployments.id"], name="fk_events_deployment", deferrable=True, initially="DEFERRED"
        ),
        sa.PrimaryKeyConstraint("deployment", "seq", name="pk_events"),
    )
    op.create_table(
        "mirrors",
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger()),
        sa.Column("held_by", sa.String()),
        sa.Column("held_until", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["deployment"], ["deployments.id"], name="fk_mirrors_deployment", deferrable=True, initially="DEFERRED"
        ),
        sa.PrimaryKeyConstraint("deployment", "chat", name="pk_mirrors"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("deployment", sa.String()),
        sa.Column("thread", sa.String()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_tried", sa.BigInteger()),
        sa.Column("why_later", sa.Text()),
        sa.Column("not_before", sa.BigInteger()),
        sa.Column("held_by", sa.String()),
        sa.Column("held_until", sa.BigInteger()),
        sa.Column("said_at", sa.BigInteger()),
        sa.Column("message", sa.String()),
        sa.Column("said_in", sa.String()),
        sa.ForeignKeyConstraint(
            ["deployment"], ["deployments.id"], name="fk_outbox_deployment", deferrable=True, initially="DEFERRED"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
    )
    op.create_index(
        "ix_outbox_unsaid",
        "outbox",
        ["chat", "id"],
        sqlite_where=sa.text("said_at IS NULL"),
        postgresql_where=sa.text("said_at IS NULL"),
    )

    op.create_table(
        "posted_cards",
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("message", sa.String()),
        sa.Column("thread", sa.String()),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment"], ["deployments.id"], name="fk_posted_cards_deployment", deferrable=True, initially="DEFERRED"
        ),
        sa.PrimaryKeyConstraint("deployment", "chat", "slot", name="pk_posted_cards"),
    )


def downgrade() -> None:
    """Not possible."""
    raise NotImplementedError("There is no way back: restore the backup made before the upgrade.")
