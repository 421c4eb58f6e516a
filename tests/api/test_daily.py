"""What is done every day is done once a day, and what is long done is forgotten."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

import api.daily
from api.daily import ask_for_todays, daily_kinds
from api.job_runs import JobRun, JobState
from api.jobs import ask, perform
from api.settings import settings


@pytest.fixture
def at(monkeypatch):
    def set_clock(*moment: int) -> None:
        there = datetime(*moment, tzinfo=UTC)
        monkeypatch.setattr(api.daily, "now", lambda _: there)

    return set_clock


def runs(site, kind="upkeep.clean") -> list[JobRun]:
    with site.session() as session:
        return list(session.scalars(select(JobRun).where(JobRun.kind == kind)))


def test_a_daily_job_is_asked_for_once_a_day_however_often_one_looks(site, at):
    engine = site.database.engine
    at(2026, 11, 23, 19, 29)  # 03:29 of the 24th in Shanghai
    assert ask_for_todays(engine, settings()) == []
    at(2026, 11, 23, 19, 30)
    assert len(ask_for_todays(engine, settings())) == len(daily_kinds_due("03:30"))
    assert ask_for_todays(engine, settings()) == []
    at(2026, 11, 24, 20, 0)
    assert len(ask_for_todays(engine, settings())) == len(daily_kinds_due("04:00"))
    assert [run.arguments["today"] for run in runs(site)] == ["2026-11-24", "2026-11-25"]


def daily_kinds_due(clock: str) -> list[str]:
    return [k for k in daily_kinds() if api.daily._times[k].isoformat("minutes") <= clock]


def test_long_done_jobs_are_forgotten_and_what_people_asked_for_stays(site, at):
    engine = site.database.engine
    with site.session() as session, session.begin():
        community = session.scalar(text("SELECT min(id) FROM community"))
        for n, kind in enumerate(("upkeep.clean", "roster.solve")):
            ask(session, kind, {}, community_id=community, asked_by="test", run_id=f"old-{n}")
        session.execute(
            text("UPDATE job_run SET finished_at = now() - interval '91 days', state = 'done'")
        )
        session.execute(text("UPDATE procrastinate_jobs SET status = 'succeeded'"))
        session.execute(text("UPDATE procrastinate_events SET at = now() - interval '31 days'"))
        ask(session, "roster.solve", {}, community_id=community, asked_by="test", run_id="young")
        ask(session, "upkeep.clean", {}, community_id=community, asked_by="test", run_id="now")
    perform(engine, "now")
    with site.session() as session:
        kept = set(session.scalars(select(JobRun.id)))
        queued = session.scalars(text("SELECT args->>'run_id' FROM procrastinate_jobs")).all()
        done = session.get_one(JobRun, "now")
    assert (done.state, done.result) == (JobState.DONE, {"jobs": 2, "runs": 1})
    assert kept == {"old-1", "young", "now"}
    assert sorted(queued) == ["now", "young"]
