"""Prints of checkpoints' QR codes: each with a key of its own, which can be revoked."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from grid.database import Base, Instant, Key
from grid.errors import NotFound
from grid.places import Checkpoint
from scheduling.core.checkpoint_code import holds, read, sign

KEY_BYTES = 32


class CheckpointCode(Base):
    """One print of a checkpoint's code; at most one is in use, the others are revoked."""

    __tablename__ = "checkpoint_code"
    __table_args__ = (
        Index(
            "uq_checkpoint_code_one_open",
            "checkpoint_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    checkpoint_id: Mapped[int] = mapped_column(ForeignKey("checkpoint.id", ondelete="CASCADE"))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[Instant]
    made_by: Mapped[str]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_by: Mapped[str | None]


class Proof(StrEnum):
    """What a scanned code proves."""

    GENUINE = "genuine"
    FORGED = "forged"
    REVOKED = "revoked"


def codes_in_use(session: Session, checkpoints: Sequence[Checkpoint]) -> dict[int, str]:
    """Return checkpoint id → the text of its code, of those that have one."""
    found = session.scalars(
        select(CheckpointCode).where(
            CheckpointCode.checkpoint_id.in_([checkpoint.id for checkpoint in checkpoints]),
            CheckpointCode.revoked_at.is_(None),
        )
    )
    return {code.checkpoint_id: sign(code.secret, code.checkpoint_id, code.id) for code in found}


def make_codes(
    session: Session, checkpoints: Sequence[Checkpoint], *, now: datetime, by: str
) -> int:
    """Make a code for every checkpoint that has none; return how many were made."""
    # Two who ask at the same time: the second waits, and finds them made.
    ids = [checkpoint.id for checkpoint in checkpoints]
    session.execute(select(Checkpoint.id).where(Checkpoint.id.in_(ids)).with_for_update())
    lacking = set(ids) - codes_in_use(session, checkpoints).keys()
    for checkpoint_id in sorted(lacking):
        _new(session, checkpoint_id, now, by)
    session.flush()
    return len(lacking)


def _new(session: Session, checkpoint_id: int, now: datetime, by: str) -> None:
    secret = secrets.token_bytes(KEY_BYTES)
    session.add(CheckpointCode(checkpoint_id=checkpoint_id, secret=secret, made_at=now, made_by=by))


def renew_code(
    session: Session, community_id: int, checkpoint_id: int, *, now: datetime, by: str
) -> Checkpoint:
    """Revoke the code of a checkpoint that hangs out there, and make the next. Raises NotFound."""
    checkpoint = find_checkpoint(session, community_id, checkpoint_id)
    for code in session.scalars(
        select(CheckpointCode).where(
            CheckpointCode.checkpoint_id == checkpoint.id, CheckpointCode.revoked_at.is_(None)
        )
    ):
        code.revoked_at, code.revoked_by = now, by
    session.flush()
    _new(session, checkpoint.id, now, by)
    session.flush()
    return checkpoint


def find_checkpoint(session: Session, community_id: int, checkpoint_id: int) -> Checkpoint:
    """Return a checkpoint of this community. Raises NotFound."""
    found = session.get(Checkpoint, checkpoint_id)
    if found is None or found.community_id != community_id:
        raise NotFound(thing="必到点", name=checkpoint_id)
    return found


def prove(session: Session, scanned: str, at: datetime) -> tuple[int | None, Proof]:
    """Return which checkpoint a scanned text claims, and whether it proved so at that moment."""
    claim = read(scanned)
    if claim is None:
        return None, Proof.FORGED
    code = session.get(CheckpointCode, claim.print_id)
    if code is None or code.checkpoint_id != claim.checkpoint_id or not holds(claim, code.secret):
        return None, Proof.FORGED
    if code.revoked_at is not None and code.revoked_at <= at:
        return claim.checkpoint_id, Proof.REVOKED
    return claim.checkpoint_id, Proof.GENUINE
