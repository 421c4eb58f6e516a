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


def codes_in_use(
    session: Session, checkpoints: Sequence[Checkpoint], *, now: datetime, by: str
) -> dict[int, str]:
    """Return checkpoint id → the text of its code; a checkpoint without a code gets one."""
    ids = [checkpoint.id for checkpoint in checkpoints]
    found = {
        code.checkpoint_id: code
        for code in session.scalars(
            select(CheckpointCode).where(
                CheckpointCode.checkpoint_id.in_(ids), CheckpointCode.revoked_at.is_(None)
            )
        )
    }
    for checkpoint_id in ids:
        if checkpoint_id not in found:
            found[checkpoint_id] = _new(session, checkpoint_id, now, by)
    session.flush()
    return {key: sign(code.secret, key, code.id) for key, code in found.items()}


def _new(session: Session, checkpoint_id: int, now: datetime, by: str) -> CheckpointCode:
    code = CheckpointCode(
        checkpoint_id=checkpoint_id, secret=secrets.token_bytes(KEY_BYTES), made_at=now, made_by=by
    )
    session.add(code)
    return code


def revoke_code(
    session: Session, community_id: int, checkpoint_id: int, *, now: datetime, by: str
) -> Checkpoint:
    """Revoke the code of a checkpoint that hangs out there. Raises NotFound."""
    checkpoint = find_checkpoint(session, community_id, checkpoint_id)
    for code in session.scalars(
        select(CheckpointCode).where(
            CheckpointCode.checkpoint_id == checkpoint.id, CheckpointCode.revoked_at.is_(None)
        )
    ):
        code.revoked_at, code.revoked_by = now, by
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
