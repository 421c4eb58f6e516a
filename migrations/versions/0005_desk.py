"""Keep the edits of a draft roster, and what-ifs apart from rosters that may be published."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "roster_version",
        sa.Column("what_if", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("roster_version", sa.Column("made_from_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "roster_version", sa.Column("title", sa.String(), server_default="", nullable=False)
    )
    op.create_foreign_key(
        op.f("fk_roster_version_made_from_id"), "roster_version", "roster_version",
        ["made_from_id"], ["id"], ondelete="SET NULL",
    )  # fmt: skip
    op.create_check_constraint(
        op.f("ck_roster_version_what_if_stays_draft"),
        "roster_version",
        "NOT what_if OR state = 'draft'",
    )
    op.create_table(
        "roster_edit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("roster_version_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("seats", postgresql.JSONB(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("levels_before", postgresql.JSONB(), nullable=False),
        sa.Column("levels_after", postgresql.JSONB(), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["roster_version_id"],
            ["roster_version.id"],
            name=op.f("fk_roster_edit_roster_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_edit")),
        sa.UniqueConstraint(
            "roster_version_id", "number", name=op.f("uq_roster_edit_roster_version_id_number")
        ),
    )


def downgrade() -> None:
    op.drop_table("roster_edit")
    op.drop_constraint(
        op.f("ck_roster_version_what_if_stays_draft"), "roster_version", type_="check"
    )
    op.drop_constraint(op.f("fk_roster_version_made_from_id"), "roster_version", type_="foreignkey")
    op.drop_column("roster_version", "title")
    op.drop_column("roster_version", "made_from_id")
    op.drop_column("roster_version", "what_if")
