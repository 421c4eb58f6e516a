"""The worker: takes jobs from the queue until it is told to stop."""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import procrastinate
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from api.daily import ask_for_todays
from api.jobs import MAX_ATTEMPTS, STALLED_AFTER_S, queue_app, rescue_stalled
from api.settings import REPO_ROOT, Settings
from grid.database import connect

LOG = logging.getLogger(__name__)

RESCUE_EVERY_S = STALLED_AFTER_S / 2
LOOK_AT_THE_CLOCK_EVERY_S = 30.0


async def work(settings: Settings, engine: Engine, *, concurrency: int = 1) -> None:
    """Take jobs until SIGINT or SIGTERM. A job cut off here is taken up by the next worker."""
    app = queue_app(settings.libpq_url(), engine)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(concurrency=concurrency, install_signal_handlers=False)
        )
        rescue = asyncio.create_task(_rescue_forever(app))
        daily = asyncio.create_task(_ask_daily_forever(settings, engine))
        waiting = asyncio.create_task(stopping.wait())
        await asyncio.wait({worker, waiting}, return_when=asyncio.FIRST_COMPLETED)
        rescue.cancel()
        daily.cancel()
        if worker.done():
            worker.result()
            return
        # A solve runs in a thread that cannot be cancelled: leave at once, the queue remembers.
        os._exit(0)


async def _rescue_forever(app: procrastinate.App) -> None:
    while True:
        with contextlib.suppress(OSError):
            await rescue_stalled(app)
        await asyncio.sleep(RESCUE_EVERY_S)


async def _ask_daily_forever(settings: Settings, engine: Engine) -> None:
    while True:
        try:
            await asyncio.to_thread(ask_for_todays, engine, settings)
        except SQLAlchemyError:
            # The database may be away for a while; the jobs are asked for when it is back.
            LOG.warning("could not ask for the daily jobs", exc_info=True)
        await asyncio.sleep(LOOK_AT_THE_CLOCK_EVERY_S)


def run_worker(settings: Settings, *, concurrency: int = 1) -> None:
    """Run a worker in this process."""
    engine = connect(settings.sqlalchemy_url())
    asyncio.run(work(settings, engine, concurrency=concurrency))


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def start_worker_process() -> subprocess.Popen[bytes]:
    """Start a worker as a child that ends when this process ends, however it ends.

    A process of its own, not a task of the web server: a solve in Python would hold the pages up.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "api.cli", "worker", "--quiet"],
        cwd=REPO_ROOT,
        preexec_fn=_die_with_parent,
    )


def is_anyone_working(engine: Engine) -> bool:
    """Say whether some worker's heart beats."""
    alive = text(
        "SELECT EXISTS (SELECT FROM procrastinate_workers "
        "WHERE last_heartbeat > now() - make_interval(secs => :age))"
    )
    with engine.connect() as connection:
        return bool(connection.scalar(alive, {"age": STALLED_AFTER_S}))


class WorkerBeside:
    """The worker that a waiting command starts where nobody else works."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._child: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def ensure(self) -> None:
        """Start the worker unless ours or another is alive.

        To be asked again and again while waiting: a worker that has just ended seems alive until
        its last heartbeat is old, and one that is alive may end with our job in its hands.
        """
        if self._child is not None and self._child.poll() is None:
            return
        if self._starts < MAX_ATTEMPTS and not is_anyone_working(self._engine):
            self._starts += 1
            self._child = start_worker_process()

    def end(self) -> None:
        """End the worker, where there is one."""
        if self._child is not None:
            end_worker_process(self._child)


@contextmanager
def worker_beside(engine: Engine) -> Iterator[WorkerBeside]:
    """Have a worker ready beside a command; ended with it, whatever happens."""
    beside = WorkerBeside(engine)
    try:
        yield beside
    finally:
        beside.end()


def end_worker_process(child: subprocess.Popen[bytes]) -> None:
    """End a worker; a job it holds is taken up by the next one."""
    child.terminate()
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
