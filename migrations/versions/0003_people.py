"""Keep contracts, availability, leave with approval, and swaps."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _members()
    _leave()
    _requests()
    _swaps()


def _members() -> None:
    op.add_column(
        "member",
        sa.Column("unavailable", postgresql.JSONB(), server_default="[]", nullable=False),
    )
    op.add_column("member", sa.Column("revision", sa.Integer(), server_default="1", nullable=False))
    op.add_column("member", sa.Column("batch_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_member_batch_id"), "member", "import_batch", ["batch_id"], ["id"]
    )
    op.create_index(op.f("ix_member_batch_id"), "member", ["batch_id"])
    op.create_table(
        "member_before",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["import_batch.id"],
            name=op.f("fk_member_before_batch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_member_before_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_before")),
        sa.UniqueConstraint(
            "batch_id", "member_id", name=op.f("uq_member_before_batch_id_member_id")
        ),
    )
    op.create_index(op.f("ix_member_before_member_id"), "member_before", ["member_id"])


def _leave() -> None:
    for name in ("state", "asked_by", "decision"):
        op.add_column(
            "leave",
            sa.Column(
                name,
                sa.String(),
                server_default="approved" if name == "state" else "",
                nullable=False,
            ),
        )
    for name in ("asked_at", "decided_at"):
        op.add_column("leave", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("leave", sa.Column("decided_by", sa.String(), nullable=True))
    op.create_check_constraint(
        op.f("ck_leave_state_known"), "leave", "state IN ('asked','approved','refused','withdrawn')"
    )


def _requests() -> None:
    op.create_table(
        "member_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("shift_template_id", sa.BigInteger(), nullable=True),
        sa.Column("wants", sa.Boolean(), nullable=False),
        sa.Column("weight", sa.Integer(), server_default="5", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("weight BETWEEN 1 AND 10", name=op.f("ck_member_request_weight_in_ten")),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_member_request_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shift_template_id"],
            ["shift_template.id"],
            name=op.f("fk_member_request_shift_template_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_request")),
        sa.UniqueConstraint(
            "member_id",
            "day",
            "shift_template_id",
            name=op.f("uq_member_request_member_id_day_shift_template_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_member_request_member_id"), "member_request", ["member_id"])


def _swaps() -> None:
    op.create_table(
        "swap",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("week_start", sa.Date(), nullable=False),
        sa.Column("asker_id", sa.BigInteger(), nullable=False),
        sa.Column("asker_patrol", sa.String(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("other_patrol", sa.String(), nullable=True),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("roster_version_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('proposed','accepted','approved','declined','refused','withdrawn',"
            "'obsolete','expired')",
            name=op.f("ck_swap_state_known"),
        ),
        sa.CheckConstraint("asker_id <> other_id", name=op.f("ck_swap_two_members")),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_swap_community_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["asker_id"], ["member.id"], name=op.f("fk_swap_asker_id")),
        sa.ForeignKeyConstraint(["other_id"], ["member.id"], name=op.f("fk_swap_other_id")),
        sa.ForeignKeyConstraint(
            ["roster_version_id"],
            ["roster_version.id"],
            name=op.f("fk_swap_roster_version_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_swap")),
    )
    op.create_index("ix_swap_community_week", "swap", ["community_id", "week_start"])
    op.create_index(op.f("ix_swap_asker_id"), "swap", ["asker_id"])
    op.create_index(op.f("ix_swap_other_id"), "swap", ["other_id"])


def downgrade() -> None:
    op.drop_table("swap")
    op.drop_table("member_request")
    op.drop_constraint(op.f("ck_leave_state_known"), "leave")
    for name in ("decided_by", "decided_at", "asked_at", "decision", "asked_by", "state"):
        op.drop_column("leave", name)
    op.drop_table("member_before")
    for name in ("batch_id", "revision", "unavailable"):
        op.drop_column("member", name)
