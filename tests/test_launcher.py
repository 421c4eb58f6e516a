"""The one command's own parts, on a copy of it: nothing is installed here."""

import fcntl
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import REPO_ROOT

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def launcher(tmp_path: Path) -> ModuleType:
    """The launcher, believing that its clone is an empty folder."""
    copy = tmp_path / "xunge"
    shutil.copy(REPO_ROOT / "xunge", copy)
    loader = importlib.machinery.SourceFileLoader("xunge_launcher", str(copy))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_a_security_fix_of_python_is_no_reason_to_install_again(launcher, monkeypatch) -> None:
    lock = launcher.ROOT / "requirements.lock"
    lock.write_text("a==1\n")
    before = launcher.digest(lock)
    monkeypatch.setattr(sys, "version", "3.11.2 (main, another build) [GCC 12]")
    assert launcher.digest(lock) == before


def test_a_changed_lock_or_another_kind_of_python_is(launcher, monkeypatch) -> None:
    lock = launcher.ROOT / "requirements.lock"
    lock.write_text("a==1\n")
    before = launcher.digest(lock)
    lock.write_text("a==2\n")
    assert launcher.digest(lock) != before
    lock.write_text("a==1\n")
    monkeypatch.setattr(launcher.platform, "machine", lambda: "riscv64")
    assert launcher.digest(lock) != before


def test_a_full_disk_is_refused_before_anything_is_installed(launcher, monkeypatch) -> None:
    monkeypatch.setattr(launcher.shutil, "disk_usage", lambda _: Usage(10, 10, 5 * 1024**2))
    monkeypatch.setattr(launcher, "run", lambda *_, **__: pytest.fail("something was run"))
    with pytest.raises(launcher.Refusal, match=r"5 MB"):
        launcher.ensure_environment(for_tests=False)
    assert not launcher.VENV.exists()


def test_what_an_interrupted_apt_left_is_finished_first(launcher, monkeypatch) -> None:
    ran = []

    def run(command, *, log) -> None:
        ran.append(log)
        if ran == ["apt-get update", "apt-get install"]:
            raise launcher.Refusal("", "E: … manually run 'dpkg --configure -a' …")

    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.setattr(launcher, "run", run)
    launcher.apt_install([], ["chromium"])
    assert ran == ["apt-get update", "apt-get install", "dpkg --configure -a", "apt-get install"]


def test_the_tests_ask_for_the_library_that_the_browsers_driver_links_to(
    launcher, monkeypatch
) -> None:
    shutil.copytree(REPO_ROOT / "grid", launcher.ROOT / "grid")
    monkeypatch.setattr(launcher, "can_load", lambda _: False)
    assert "libatomic1" in launcher.missing_packages(for_tests=True)
    assert "libatomic1" not in launcher.missing_packages(for_tests=False)
    assert "postgresql-postgis" not in launcher.missing_packages(for_tests=True)


def test_a_library_is_there_or_not(launcher) -> None:
    assert launcher.can_load("libc.so.6")
    assert not launcher.can_load("libnothing-of-the-kind.so.9")


def test_any_other_failure_of_apt_is_told_and_not_repeated(launcher, monkeypatch) -> None:
    ran = []

    def run(command, *, log) -> None:
        ran.append(log)
        if log == "apt-get install":
            raise launcher.Refusal("没有网络", "no network")

    monkeypatch.setattr(launcher, "run", run)
    with pytest.raises(launcher.Refusal):
        launcher.apt_install([], ["chromium"])
    assert ran == ["apt-get update", "apt-get install"]


def test_a_failed_step_shows_how_it_ended_and_what_to_do(launcher, monkeypatch) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    with pytest.raises(launcher.Refusal) as refused:
        launcher.run(["sh", "-c", "echo 磁盘坏了; exit 3"], log="某步骤")
    assert "磁盘坏了" in str(refused.value)
    assert "重新运行同一条命令" in str(refused.value)


def test_a_second_set_up_waits_for_the_first_and_says_so(launcher, monkeypatch, capsys) -> None:
    done = []
    for name in ("install_packages", "ensure_environment", "ensure_browser_files"):
        monkeypatch.setattr(launcher, name, lambda *_, name=name, **__: done.append(name))
    monkeypatch.setattr(launcher, "missing_packages", lambda **_: [])
    holder = (launcher.ROOT / ".setup-lock").open("w")
    fcntl.flock(holder, fcntl.LOCK_EX)
    real, waited = fcntl.flock, []

    def flock(file, how: int) -> None:
        if not how & fcntl.LOCK_NB:
            assert done == []
            waited.append(how)
            holder.close()
        real(file, how)

    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.setattr(launcher.fcntl, "flock", flock)
    launcher.set_up()
    assert waited
    assert "waiting" in capsys.readouterr().err
    assert done == ["install_packages", "ensure_environment", "ensure_browser_files"]


def test_help_needs_no_installation(launcher) -> None:
    shown = subprocess.run(
        [sys.executable, launcher.ROOT / "xunge", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LANG": "C.UTF-8"},
    )
    assert "./xunge demo" in shown.stdout
    assert not (launcher.ROOT / ".venv").exists()


def test_a_clone_that_cannot_be_written_gets_a_sentence_not_a_traceback(launcher) -> None:
    (launcher.ROOT / ".setup-lock").mkdir()
    refused = subprocess.run(
        [sys.executable, launcher.ROOT / "xunge", "user", "list"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LANG": "C.UTF-8"},
    )
    assert refused.returncode == 1
    assert "没有完成" in refused.stderr
    assert "Traceback" not in refused.stderr
