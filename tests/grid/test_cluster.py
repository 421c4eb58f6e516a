"""The private cluster: starts once, survives kills, is reached by nobody else."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from grid import cluster as module
from grid.cluster import Cluster, DiskFull, FolderNotOurs, OtherVersion

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def cluster():
    folder = Path(tempfile.mkdtemp(prefix="xunge-cluster-"))
    folder.chmod(0o755)
    made = Cluster(folder / "data", options={"fsync": "off"})
    yield made
    made.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_it_starts_answers_and_stops_and_starting_again_changes_nothing(cluster):
    cluster.start()
    pid = cluster._postmaster()
    cluster.start()
    assert cluster._postmaster() == pid
    cluster.ensure_database()
    cluster.ensure_database()
    assert cluster.sql("SELECT count(*) FROM pg_extension WHERE extname = 'postgis'") == "1"
    cluster.stop()
    assert not cluster.is_running()
    cluster.start()
    assert cluster.sql("SELECT 1") == "1"


def test_six_commands_at_once_start_one_server(cluster):
    failures: list[BaseException] = []

    def start() -> None:
        try:
            Cluster(cluster.data_dir, options={"fsync": "off"}).start()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert cluster.sql("SELECT 1", "postgres") == "1"


def test_it_is_up_again_after_kill_9_with_busy_backends_and_nothing_committed_is_lost(cluster):
    cluster.start()
    cluster.sql("CREATE TABLE kept AS SELECT 42 AS n", "postgres")
    busy = [
        subprocess.Popen(
            [module.postgres_binaries() / "psql", "-h", cluster.socket_dir, "-U", "xunge",
             "-d", "postgres", "-c", "SELECT pg_sleep(60)"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]  # fmt: skip
    deadline = time.monotonic() + 10
    while cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND pid <> pg_backend_pid()", "postgres") != "2":  # fmt: skip
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(cluster._postmaster(), signal.SIGKILL)
    cluster.start()
    assert cluster.sql("SELECT n FROM kept", "postgres") == "42"
    for client in busy:
        client.kill()
        client.wait()


@pytest.mark.parametrize("delay_s", [0.05, 0.25, 0.5])
def test_a_first_start_that_is_killed_half_way_is_done_again(cluster, delay_s):
    script = (
        "from grid.cluster import Cluster; from pathlib import Path; "
        f"Cluster(Path({str(cluster.data_dir)!r})).start()"
    )
    first = subprocess.Popen([sys.executable, "-c", script], cwd=REPO, start_new_session=True)
    time.sleep(0.15 + delay_s)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    cluster.start()
    assert cluster.sql("SELECT 1", "postgres") == "1"
    cluster.stop()
    cluster.start()
    assert cluster.sql("SELECT 1", "postgres") == "1"


def test_a_bystander_in_the_folder_is_left_alone_when_a_kill_is_mended(cluster):
    cluster.start()
    bystander = subprocess.Popen(["sleep", "60"], cwd=cluster.pg)
    os.kill(cluster._postmaster(), signal.SIGKILL)
    cluster.start()
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_no_tcp_port_is_opened(cluster):
    cluster.start()
    assert cluster.sql("SHOW listen_addresses", "postgres") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_of_the_machine_is_refused(cluster):
    cluster.start()
    nobody = pwd.getpwnam("nobody")
    result = subprocess.run(
        ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups",
         module.postgres_binaries() / "psql", "-h", cluster.socket_dir, "-U", "xunge",
         "-d", "postgres", "-c", "SELECT 1"],
        capture_output=True, text=True, cwd="/",
    )  # fmt: skip
    assert result.returncode != 0
    assert "ermission denied" in result.stderr


def test_a_folder_of_another_version_is_refused_with_what_to_install(cluster):
    cluster.start()
    cluster.stop()
    (cluster.pg / "PG_VERSION").write_text("9\n")
    with pytest.raises(OtherVersion) as refused:
        cluster.start()
    assert "postgresql-9" in refused.value.sentence("zh")
    (cluster.pg / "PG_VERSION").write_text("damaged\n")
    with pytest.raises(FolderNotOurs):
        cluster.start()
    major = module.postgres_binaries().parent.name
    (cluster.pg / "PG_VERSION").write_text(f"{major}\n")


def test_a_folder_with_somebody_elses_files_is_not_touched(tmp_path_factory):
    folder = Path(tempfile.mkdtemp(prefix="xunge-foreign-"))
    folder.chmod(0o755)
    (folder / "data" / "pg").mkdir(parents=True)
    precious = folder / "data" / "pg" / "thesis.txt"
    precious.write_text("years of work")
    with pytest.raises(FolderNotOurs):
        Cluster(folder / "data").start()
    assert precious.read_text() == "years of work"
    shutil.rmtree(folder)


def test_a_full_disk_is_said_before_anything_is_written(cluster, monkeypatch):
    usage = shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DiskFull) as refused:
        cluster.start()
    assert "XUNGE_DATA" in refused.value.sentence("zh")
    assert not cluster.pg.exists()


def test_commands_with_another_temporary_folder_find_the_same_server(cluster, monkeypatch):
    cluster.start()
    monkeypatch.setenv("TMPDIR", "/var/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/var/tmp")
    assert Cluster(cluster.data_dir).is_running()
