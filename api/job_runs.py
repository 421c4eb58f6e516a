"""What a person sees of a background job: its progress, its stop button, its result."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DateTime, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Instant


class JobState(StrEnum):
    """排队中, 进行中, 已完成, 失败."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class JobRun(Base):
    """One long piece of work. The Procrastinate job carries only this row's id."""

    __tablename__ = "job_run"

    id: Mapped[str] = mapped_column(primary_key=True)
    """A UUID chosen by whoever asked, so that asking twice asks once."""
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    kind: Mapped[str]
    """roster.solve, routes.plan, hotspots.compute, import.commit."""
    arguments: Mapped[dict[str, object]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(default=JobState.QUEUED)
    progress: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict)
    """fraction 0..1, stage (zh, en), and for a solve cost, bound, gap, empty_seats."""
    stop_requested: Mapped[bool] = mapped_column(default=False, server_default="false")
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    result: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict)
    error: Mapped[str | None]
    asked_by: Mapped[str]
    asked_at: Mapped[Instant]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
