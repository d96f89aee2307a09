"""The sandbox channel: its messages and its settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "sandbox_messages",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(100), nullable=False),
        sa.Column("thread", sa.Integer()),
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.BigInteger(), nullable=False),
        sa.Column("edited_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sandbox_messages_channel_thread", "sandbox_messages", ["channel", "thread", "id"])
    op.create_index("ix_sandbox_messages_key", "sandbox_messages", ["key"])
    op.create_index("ix_sandbox_messages_change", "sandbox_messages", ["change"], unique=True)
    op.create_table(
        "sandbox_settings",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )


def downgrade() -> None:
    """Drop the two tables and what was said in them."""
    op.drop_table("sandbox_settings")
    op.drop_table("sandbox_messages")
