"""Keep special events, the duty matrix, retired patrol types, house rules, and calendar edits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _calendar()
    _events()
    _duties()
    _house_rules()


def _calendar() -> None:
    op.create_table(
        "calendar_edit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind_before", sa.String(), nullable=True),
        sa.Column("name_before", sa.String(), nullable=True),
        sa.Column("source_before", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_edit")),
    )
    op.create_index(op.f("ix_calendar_edit_day"), "calendar_edit", ["day"])


def _events() -> None:
    op.create_table(
        "special_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("zone_id", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("band_start_min", sa.Integer(), nullable=False),
        sa.Column("band_end_min", sa.Integer(), nullable=False),
        sa.Column("patrol_type_id", sa.BigInteger(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("ideal", sa.Integer(), nullable=False),
        sa.Column("importance", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint(
            "last_day >= first_day AND last_day <= first_day + 30",
            name=op.f("ck_special_event_days_forward"),
        ),
        sa.CheckConstraint(
            "band_start_min BETWEEN 0 AND 1439 AND band_end_min > band_start_min"
            " AND band_end_min <= band_start_min + 1440",
            name=op.f("ck_special_event_band_forward"),
        ),
        sa.CheckConstraint(
            "minimum >= 0 AND ideal BETWEEN greatest(minimum, 1) AND 10",
            name=op.f("ck_special_event_ideal_over_minimum"),
        ),
        sa.CheckConstraint(
            "importance BETWEEN 1 AND 100", name=op.f("ck_special_event_importance_in_percent")
        ),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_special_event_community_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["patrol_zone.id"], name=op.f("fk_special_event_zone_id")
        ),
        sa.ForeignKeyConstraint(
            ["patrol_type_id"], ["patrol_type.id"], name=op.f("fk_special_event_patrol_type_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_special_event")),
    )
    op.create_index(
        "ix_special_event_community_day", "special_event", ["community_id", "first_day"]
    )


def _duties() -> None:
    op.add_column(
        "patrol_type", sa.Column("active", sa.Boolean(), server_default="true", nullable=False)
    )
    op.add_column(
        "patrol_type",
        sa.Column("duties", postgresql.ARRAY(sa.String()), server_default="{}", nullable=False),
    )
    op.create_table(
        "duty",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_duty_community_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
        sa.UniqueConstraint("community_id", "code", name=op.f("uq_duty_community_id_code")),
    )
    op.create_table(
        "duty_cell",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("duty_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("force", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.CheckConstraint("part IN ('required','optional')", name=op.f("ck_duty_cell_part_known")),
        sa.ForeignKeyConstraint(
            ["duty_id"], ["duty.id"], name=op.f("fk_duty_cell_duty_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_cell")),
        sa.UniqueConstraint(
            "duty_id", "kind", "force", name=op.f("uq_duty_cell_duty_id_kind_force")
        ),
    )


def _house_rules() -> None:
    op.create_table(
        "house_rules",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_house_rules_community_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("community_id", name=op.f("pk_house_rules")),
    )


def downgrade() -> None:
    op.drop_table("house_rules")
    op.drop_table("duty_cell")
    op.drop_table("duty")
    op.drop_column("patrol_type", "duties")
    op.drop_column("patrol_type", "active")
    op.drop_table("special_event")
    op.drop_table("calendar_edit")
