"""The doctor finds each provoked fault and names its cure."""

import os
import shutil
import signal
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from api.doctor import examine
from api.job_runs import JobRun
from api.migrate import downgrade
from api.settings import Settings
from tests.conftest import SAMPLE_UNTIL


@pytest.fixture
def engine(database):
    return database.engine


def test_a_healthy_database_has_nothing_bad(sample_database):
    chosen = Settings(database_url=sample_database.url)
    found = list(examine.examine(chosen, SAMPLE_UNTIL))
    assert [one.zh for one in found if one.weight == "bad"] == []
    assert len(found) >= 9


def test_tables_of_an_older_version_are_found(database):
    downgrade(database.url, "0001")
    found = examine.migrations(database.engine)
    assert (found.weight, "升级" in found.cure) == ("bad", True)


def test_a_database_without_postgis_is_found(server):
    server.run("CREATE DATABASE bare")
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        found = examine.extension(create_engine(server.address("bare"), poolclass=NullPool))
        assert (found.weight, "CREATE EXTENSION" in found.cure) == ("bad", True)
    finally:
        server.run("DROP DATABASE bare WITH (FORCE)")


def test_jobs_that_wait_for_a_worker_that_is_not_there_are_found(sample_database):
    with sample_database.engine.begin() as connection:
        community = connection.scalar(text("SELECT min(id) FROM community"))
        connection.execute(
            JobRun.__table__.insert().values(
                id="waiting", community_id=community, kind="roster.solve", arguments={}, progress={},
                result={}, state="queued", asked_by="test",
                asked_at=datetime.now(UTC) - timedelta(hours=1),
            )
        )  # fmt: skip
    found = examine.jobs(sample_database.engine)
    assert (found.weight, found.cure) == ("bad", "./xunge worker")


def test_missing_browser_files_are_found(tmp_path):
    found = examine.browser_files(
        Settings(database_url="postgresql://x/y", offline_assets=tmp_path)
    )
    assert found.weight == "bad"
    assert "leaflet" in found.zh


def test_a_year_nobody_has_announced_yet_is_found(sample):
    from grid.working_calendar import seed_calendar

    seed_calendar(sample)
    connection = sample.connection()
    found = examine.calendar(connection, date(2031, 3, 3))
    assert found.weight == "warn"
    assert "2031" in found.zh


def test_a_disk_that_is_full_or_nearly_so_is_found(tmp_path, monkeypatch):
    chosen = Settings(database_url="postgresql://x/y", data=tmp_path)
    for free_mb, weight in ((100, "bad"), (800, "warn"), (9000, "ok")):
        usage = shutil._ntuple_diskusage(10**12, 0, free_mb * 1024**2)
        monkeypatch.setattr(examine.shutil, "disk_usage", lambda _, usage=usage: usage)
        assert examine.disk(chosen).weight == weight


def test_a_killed_servers_lock_is_explained(monkeypatch):
    monkeypatch.delenv("XUNGE_DATABASE_URL", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="xunge-doctor-"))
    folder.chmod(0o755)
    chosen = Settings(data=folder / "data", database_url=None)
    cluster = chosen.private_cluster()
    try:
        assert examine.cluster(chosen).weight == "warn"
        cluster.start()
        assert examine.cluster(chosen).weight == "ok"
        os.kill(cluster._postmaster(), signal.SIGKILL)
        while cluster.is_running():
            pass
        found = examine.cluster(chosen)
        assert found.weight == "warn"
        assert "锁文件" in found.zh
        (cluster.pg / "PG_VERSION").write_text("9\n")
        assert "PostgreSQL 9" in examine.cluster(chosen).zh
        (cluster.pg / "PG_VERSION").write_text(f"{next(iter(examine.postgres_versions()))}\n")
    finally:
        cluster.start()
        cluster.stop()
        shutil.rmtree(folder)
