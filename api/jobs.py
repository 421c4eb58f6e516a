"""Durable background jobs: asked for in a transaction, done once, watched while they run.

A job is a row of Procrastinate's queue that carries the id of a :class:`~api.job_runs.JobRun`.
A killed worker's job is found by its missing heartbeat and taken up again; its effect happens
once because a handler stores its effect under the run's id, and because two workers never hold
the same run at a time (an advisory lock that a dead worker's connection gives up).
"""

import logging
import time
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import procrastinate
from sqlalchemy import Connection, Engine, text, update
from sqlalchemy.orm import Session

import api.tables  # noqa: F401 - a row is written only when every table it refers to is known
from api.discovery import modules
from api.job_runs import JobRun, JobState
from grid.database import transaction
from grid.errors import DomainError, NotFound

LOG = logging.getLogger(__name__)

QUEUE = "xunge"
TASK = "xunge.run"
MAX_ATTEMPTS = 3
"""A job that ends its worker this often is given up, so that it cannot take all workers down."""
PROGRESS_EVERY_S = 0.3
HEARTBEAT_S = 2.0
STALLED_AFTER_S = 6.0

Handler = Callable[["Run"], dict[str, Any]]
_handlers: dict[str, Handler] = {}


class JobGaveUp(DomainError):
    """The job ended its worker too often."""

    zh = "任务连续{attempts}次中断，已停止重试。请重新发起；若再次出现，请运行 ./xunge doctor 查看原因。"
    en = "The job was cut off {attempts} times and is not tried again. Ask for it anew; if it happens again, run ./xunge doctor."


class JobBroke(DomainError):
    """Something unforeseen happened in a handler."""

    zh = "任务因程序错误未完成，原有数据未受影响。错误编号{reference}，请把编号告诉管理员后重试。"
    en = "The job did not finish because of a program error; nothing stored was harmed. Tell the administrator reference {reference}, then try again."


class Run:
    """What a handler sees of its job."""

    def __init__(self, engine: Engine, row: JobRun) -> None:
        self.engine = engine
        self.id = row.id
        self.community_id = row.community_id
        self.arguments: dict[str, Any] = dict(row.arguments)
        self.asked_by = row.asked_by
        self._written_at = 0.0

    def progress(self, fraction: float, zh: str, en: str, **numbers: object) -> None:
        """Show how far the job is (0..1), at which stage, and numbers worth seeing."""
        at = time.monotonic()
        if fraction < 1 and at - self._written_at < PROGRESS_EVERY_S:
            return
        self._written_at = at
        told = {"fraction": round(fraction, 4), "zh": zh, "en": en, **numbers}
        with transaction(self.engine) as session:
            session.execute(update(JobRun).where(JobRun.id == self.id).values(progress=told))

    def stop_requested(self) -> bool:
        """Say whether somebody pressed stop: finish soon and keep the best so far."""
        with transaction(self.engine) as session:
            return bool(session.scalar(_STOP_REQUESTED, {"id": self.id}))


_STOP_REQUESTED = text("SELECT stop_requested FROM job_run WHERE id = :id")


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of one kind."""

    def register(function: Handler) -> Handler:
        _handlers[kind] = function
        return function

    return register


def handlers() -> dict[str, Handler]:
    """Return every registered handler, having looked through the rooms of the API."""
    list(modules("tasks"))
    return _handlers


def ask(
    session: Session,
    kind: str,
    arguments: dict[str, Any],
    *,
    community_id: int,
    asked_by: str,
    run_id: str | None = None,
) -> str:
    """Ask for a job in the caller's transaction and return its run id.

    The job exists if and only if the transaction commits. Asking again with the same ``run_id``
    asks once.
    """
    run_id = run_id or str(uuid.uuid4())
    if session.get(JobRun, run_id) is not None:
        return run_id
    session.add(
        JobRun(
            id=run_id,
            community_id=community_id,
            kind=kind,
            arguments=arguments,
            asked_by=asked_by,
            asked_at=datetime.now(UTC),
        )
    )
    session.flush()
    connection = session.connection().connection.driver_connection
    # An app with a synchronous connector that is never opened: it only writes the row, on our
    # own connection, in our own transaction.
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
    app.configure_task(TASK, queue=QUEUE, connection=connection).defer(run_id=run_id)
    return run_id


def request_stop(session: Session, run_id: str) -> None:
    """Ask a running job to finish with the best it has."""
    row = session.get(JobRun, run_id)
    if row is None:
        raise NotFound(thing="任务", name=run_id)
    row.stop_requested = True


@contextmanager
def _held(engine: Engine, run_id: str) -> Any:  # noqa: ANN401 - a generator of nothing
    with engine.connect() as connection:
        _lock(connection, "pg_advisory_lock", run_id)
        try:
            yield
        finally:
            _lock(connection, "pg_advisory_unlock", run_id)


def _lock(connection: Connection, function: str, run_id: str) -> None:
    connection.execute(text(f"SELECT {function}(hashtextextended(:id, 0))"), {"id": run_id})
    connection.commit()


def perform(engine: Engine, run_id: str) -> None:
    """Do one job, or find that it is done already."""
    with _held(engine, run_id):
        row = _begin(engine, run_id)
        if row is None:
            return
        try:
            result = handlers()[row.kind](Run(engine, row))
        except DomainError as refusal:
            _finish(engine, run_id, JobState.FAILED, error=refusal)
        except Exception:
            reference = run_id[:8]
            LOG.exception("job %s (%s) broke, reference %s", run_id, row.kind, reference)
            _finish(engine, run_id, JobState.FAILED, error=JobBroke(reference=reference))
        else:
            _finish(engine, run_id, JobState.DONE, result=result)


def _begin(engine: Engine, run_id: str) -> JobRun | None:
    with transaction(engine) as session:
        row = session.get(JobRun, run_id, with_for_update=True)
        if row is None or row.state in {JobState.DONE, JobState.FAILED}:
            return None
        if row.attempts >= MAX_ATTEMPTS:
            _close(row, JobState.FAILED, error=JobGaveUp(attempts=row.attempts))
            return None
        row.attempts += 1
        row.state = JobState.RUNNING
        row.started_at = datetime.now(UTC)
        return row


def _finish(
    engine: Engine,
    run_id: str,
    state: JobState,
    *,
    result: dict[str, Any] | None = None,
    error: DomainError | None = None,
) -> None:
    with transaction(engine) as session:
        _close(session.get_one(JobRun, run_id), state, result=result, error=error)


def _close(
    row: JobRun,
    state: JobState,
    *,
    result: dict[str, Any] | None = None,
    error: DomainError | None = None,
) -> None:
    row.state = state
    row.finished_at = datetime.now(UTC)
    row.result = result or {}
    if error is not None:
        row.error = error.sentence("zh")
        row.result = {"error_en": error.sentence("en")}


def queue_app(libpq_url: str, engine: Engine) -> procrastinate.App:
    """Return Procrastinate's app for a worker: the one task, and the rescue of stalled jobs."""
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=libpq_url, min_size=1, max_size=4),
        worker_defaults={
            "queues": [QUEUE],
            "update_heartbeat_interval": HEARTBEAT_S,
            "stalled_worker_timeout": STALLED_AFTER_S,
            "delete_jobs": "never",
        },
    )

    @app.task(name=TASK, queue=QUEUE)  # type: ignore[untyped-decorator]
    def run(run_id: str) -> None:
        perform(engine, run_id)

    return app


async def rescue_stalled(app: procrastinate.App) -> int:
    """Put the jobs of workers that stopped beating back in the queue; return how many."""
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S))
    for job in stalled:
        LOG.warning("job %s of a lost worker is taken up again", job.task_kwargs.get("run_id"))
        await app.job_manager.retry_job(job)
    return len(stalled)
