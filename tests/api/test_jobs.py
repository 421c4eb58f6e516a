"""A job happens once, whatever happens to its worker."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select, text

import api.worker
from api.following import follow
from api.job_runs import JobRun, JobState
from api.jobs import ask, handler, perform

REPO = Path(__file__).resolve().parents[2]

# A worker whose handler writes one row under its run's id, after long enough to be killed in.
WORKER = """
import sys, time
from api.jobs import handler, Run
from api.settings import settings
from api.worker import run_worker
from sqlalchemy import text

@handler("test.slow")
def slow(run: Run):
    with run.engine.begin() as connection:
        connection.execute(text("INSERT INTO began VALUES (:id)"), {"id": run.id})
    time.sleep(float(run.arguments["seconds"]))
    with run.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO effect VALUES (:id) ON CONFLICT DO NOTHING"), {"id": run.id})
    return {"next": "/"}

run_worker(settings())
"""


@pytest.fixture
def queue(site):
    with site.database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE began (id text)"))
        connection.execute(text("CREATE TABLE effect (id text PRIMARY KEY)"))
    children: list[subprocess.Popen[bytes]] = []

    def start_worker() -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            cwd=REPO,
            env={**os.environ, "XUNGE_DATABASE_URL": site.database.url, "PYTHONPATH": str(REPO)},
        )
        children.append(child)
        return child

    yield site, start_worker
    for child in children:
        if child.poll() is None:
            child.kill()
        child.wait()


def ask_for(site, kind="test.slow", **arguments) -> str:
    with site.session() as session, session.begin():
        community = session.scalar(text("SELECT min(id) FROM community"))
        return ask(session, kind, arguments, community_id=community, asked_by="test")


def wait_until(condition, seconds=40.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come to that in time")


def count(site, table: str) -> int:
    with site.session() as session:
        return session.scalar(text(f"SELECT count(*) FROM {table}"))


def state(site, run_id: str) -> JobRun:
    with site.session() as session:
        return session.scalars(select(JobRun).where(JobRun.id == run_id)).one()


def test_a_killed_workers_job_is_taken_up_again_and_its_effect_happens_once(queue):
    site, start_worker = queue
    run_id = ask_for(site, seconds=3)
    first = start_worker()
    wait_until(lambda: count(site, "began") == 1)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert count(site, "effect") == 0
    start_worker()
    wait_until(lambda: state(site, run_id).state == "done")
    assert count(site, "began") == 2
    assert count(site, "effect") == 1
    assert state(site, run_id).attempts == 2


def test_two_workers_never_hold_the_same_run(queue):
    site, start_worker = queue
    run_ids = [ask_for(site, seconds=0.1) for _ in range(12)]
    start_worker()
    start_worker()
    wait_until(lambda: all(state(site, run_id).state == "done" for run_id in run_ids))
    assert count(site, "began") == 12
    assert count(site, "effect") == 12


def test_a_command_right_after_another_has_a_worker_too(queue, monkeypatch):
    """The first command's worker is gone, but its last heartbeat is still young."""
    site, start_worker = queue
    monkeypatch.setattr(api.worker, "start_worker_process", start_worker)
    for _ in range(2):
        run_id = ask_for(site, seconds=0)
        row = follow(site.database.engine, run_id, "…", Console(quiet=True))
        assert row.state == JobState.DONE
    assert count(site, "effect") == 2


def test_a_command_goes_on_when_the_worker_it_relied_on_is_killed(queue, monkeypatch):
    site, start_worker = queue
    other = start_worker()
    run_id = ask_for(site, seconds=1)
    wait_until(lambda: count(site, "began") == 1)
    monkeypatch.setattr(api.worker, "start_worker_process", start_worker)
    killing = threading.Timer(0.3, other.kill)
    killing.start()
    row = follow(site.database.engine, run_id, "…", Console(quiet=True))
    killing.join()
    assert (row.state, row.attempts) == (JobState.DONE, 2)
    assert count(site, "effect") == 1


def test_a_job_asked_for_in_a_transaction_that_is_undone_does_not_exist(site):
    with site.session() as session:
        community = session.scalar(text("SELECT min(id) FROM community"))
        ask(session, "test.slow", {}, community_id=community, asked_by="test")
        session.rollback()
    assert count(site, "job_run") == 0
    assert count(site, "procrastinate_jobs") == 0


def test_asking_twice_under_one_id_asks_once(site):
    with site.session() as session, session.begin():
        community = session.scalar(text("SELECT min(id) FROM community"))
        for _ in range(2):
            ask(session, "test.slow", {}, community_id=community, asked_by="test", run_id="the-one")
    assert count(site, "procrastinate_jobs") == 1


def test_a_handler_that_breaks_leaves_a_sentence_and_a_reference(site):
    @handler("test.broken")
    def broken(run):
        raise RuntimeError("boom")

    run_id = ask_for(site, "test.broken")
    perform(site.database.engine, run_id)
    row = state(site, run_id)
    assert row.state == "failed"
    assert run_id[:8] in row.error


def test_a_job_that_keeps_ending_its_worker_is_given_up(site):
    run_id = ask_for(site, seconds=0)
    with site.session() as session, session.begin():
        session.get_one(JobRun, run_id).attempts = 3
    perform(site.database.engine, run_id)
    assert "连续3次中断" in state(site, run_id).error
