"""Take in what phones send once: items, photos, tracks, signed codes, effort."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def upgrade() -> None:
    for column in (
        sa.Column("skew_s", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("method", sa.String(), server_default="tap", nullable=False),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("distance_m", sa.Integer(), nullable=True),
        sa.Column("flags", JSONB(), server_default=sa.text("'[]'"), nullable=False),
    ):
        op.add_column("check_in", column)
    op.create_table(
        "checkpoint_code",
        _key(),
        sa.Column("checkpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("revoked_at", AT, nullable=True),
        sa.Column("revoked_by", sa.String(), nullable=True),
        _to("checkpoint_code", "checkpoint_id", "checkpoint"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoint_code")),
    )
    op.create_index(
        "uq_checkpoint_code_one_open",
        "checkpoint_code",
        ["checkpoint_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "incident_photo",
        _key(),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("report_client_id", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("taken_at", AT, nullable=False),
        sa.Column("sent_by", sa.String(), nullable=False),
        _to("incident_photo", "community_id", "community"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_photo")),
        sa.UniqueConstraint("client_id", name=op.f("uq_incident_photo_client_id")),
    )
    op.create_index(
        op.f("ix_incident_photo_report_client_id"), "incident_photo", ["report_client_id"]
    )
    op.create_table(
        "phone_item",
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("patrol_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("flags", JSONB(), nullable=False),
        sa.Column("device_at", AT, nullable=False),
        sa.Column("server_at", AT, nullable=False),
        sa.Column("skew_s", sa.Integer(), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('start','check_in','track','report','photo','alarm','end')",
            name=op.f("ck_phone_item_kind_known"),
        ),
        sa.CheckConstraint(
            "state IN ('stored','conflict')", name=op.f("ck_phone_item_state_known")
        ),
        _to("phone_item", "community_id", "community"),
        _to("phone_item", "member_id", "member"),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_phone_item")),
    )
    op.create_index("ix_phone_item_patrol", "phone_item", ["patrol_id", "kind"])
    op.create_index(
        "ix_phone_item_community_server_at", "phone_item", ["community_id", "server_at"]
    )
    op.create_table(
        "track_point",
        _key(),
        sa.Column("patrol_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("accuracy_m", sa.Integer(), nullable=False),
        sa.Column("precise", sa.Boolean(), server_default="true", nullable=False),
        _to("track_point", "patrol_id", "patrol"),
        _to("track_point", "member_id", "member"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track_point")),
    )
    op.create_index("ix_track_point_patrol_at", "track_point", ["patrol_id", "at"])
    op.create_index("ix_track_point_at", "track_point", ["at"])
    op.create_table(
        "patrol_effort",
        sa.Column("patrol_id", sa.BigInteger(), nullable=False),
        sa.Column("hour", AT, nullable=False),
        sa.Column("column", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("cell_m", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Float(), nullable=False),
        _to("patrol_effort", "patrol_id", "patrol"),
        _to("patrol_effort", "community_id", "community"),
        sa.PrimaryKeyConstraint(
            "patrol_id", "hour", "column", "row", name=op.f("pk_patrol_effort")
        ),
    )
    op.create_index("ix_patrol_effort_community_hour", "patrol_effort", ["community_id", "hour"])


def downgrade() -> None:
    for table in (
        "patrol_effort", "track_point", "phone_item", "incident_photo", "checkpoint_code",
    ):  # fmt: skip
        op.drop_table(table)
    for column in ("flags", "distance_m", "lat", "lon", "method", "skew_s"):
        op.drop_column("check_in", column)
