"""The one command walks the whole loop, and walking it again changes nothing."""

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from tests.conftest import REPO_ROOT, SAMPLE_UNTIL

COUNTED = (
    "community", "building", "incident", "import_batch", "patrol_requirement", "roster_version",
    "patrol", "assignment", "patrol_route", "account", "job_run", "audit_entry",
)  # fmt: skip


def demo(database, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "api.cli", "demo", "--no-serve", "--out", folder / "out"],
        env={
            **os.environ,
            "XUNGE_DATABASE_URL": database.url,
            "XUNGE_DATA": str(folder / "data"),
            "XUNGE_TODAY": SAMPLE_UNTIL.isoformat(),
            "PYTHONPATH": str(REPO_ROOT),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows(database) -> dict[str, int]:
    with database.engine.connect() as connection:
        return {
            table: connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in COUNTED
        }


def test_the_demo_reaches_a_published_roster_on_a_map_and_again_changes_nothing(database, tmp_path):
    said = demo(database, tmp_path)
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {
        "排班表.xlsx",
        "热点图.html",
        "路线图",
        "摘要.html",
    }
    summary = (out / "摘要.html").read_text("utf-8")
    assert "433" in summary
    assert "硬性违规 0 处" in summary
    assert said.count("-") >= 5  # five passwords were printed
    with database.engine.connect() as connection:
        states = connection.execute(text("SELECT state, violations FROM roster_version")).all()
        honoured = connection.execute(
            text("SELECT (plan->'requirements'->0->>'short')::int FROM roster_version")
        ).all()
    assert [tuple(state) for state in states] == [("published", 0)]
    assert [short for (short,) in honoured] == [0]
    before = rows(database)
    assert before["patrol_route"] == before["patrol"] > 80
    assert before["patrol_requirement"] >= 3
    again = demo(database, tmp_path)
    assert rows(database) == before
    assert "已完成" in again
    assert "写出成果" not in again
