"""The whole loop once: incidents, hotspots, requirements, roster, routes, outputs.

Every step looks first whether it is done: running the loop again is quick and changes nothing.
The week walked is remembered by its jobs' names, so a second run on a later day does not start a
new week behind the lead's back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import monotonic

from rich.console import Console
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.following import follow_with
from api.job_runs import JobRun, JobState
from api.jobs import ask
from api.settings import Settings
from api.today import next_monday
from api.worker import WorkerBeside, worker_beside
from grid.communities import Community
from grid.database import transaction
from grid.working_calendar import seed_calendar
from scheduling.found import found_demand
from scheduling.publish import publish, review
from scheduling.rosters import RosterState, RosterVersion
from scheduling.week import plan_of, problem_of

ACTOR = "demo"
REVIEWER = "street"
"""The demo's own street office: whoever makes a roster does not review it."""


@dataclass
class Loop:
    """One community's walk through the loop, told on a console."""

    engine: Engine
    settings: Settings
    community_id: int
    today: date
    out: Path
    console: Console

    def walk(self) -> RosterVersion:
        """Walk every step that is not done yet and return the published roster."""
        # One worker for all jobs of the walk: starting one takes two seconds.
        with worker_beside(self.engine) as beside:
            return self._walk(beside)

    def _walk(self, beside: WorkerBeside) -> RosterVersion:
        with self.step("准备班次、编组与工作日历"), transaction(self.engine) as session:
            seed_calendar(session)
            found_demand(session, self.community_id)
        self.job(beside, "hotspots.compute", "hotspots", "计算热点并提出巡逻要求", {"raise": True})
        week = self._week().isoformat()
        solved = self.job(
            beside, "roster.solve", "roster", f"生成 {week} 一周排班", {"week_start": week}
        )
        version_id = int(str(solved.result["roster_version_id"]))
        with self.step("审核并发布排班"):
            self._publish(version_id)
        routed = self.job(
            beside, "routes.plan", "routes", "规划巡逻路线", {"roster_version_id": version_id}
        )
        summary = self.out / "摘要.html"
        # The summary is written last: where it is, the rest is too. One that is older than the
        # routes tells of a community that was reset.
        assert routed.finished_at is not None
        written = summary.exists() and summary.stat().st_mtime >= routed.finished_at.timestamp()
        if not written:
            with self.step(f"写出成果到 {self.out}"):
                self._write(version_id, summary)
        with transaction(self.engine) as session:
            return session.get_one(RosterVersion, version_id)

    def _week(self) -> date:
        """Return the Monday of the week the loop is walked for: the first run's next week."""
        with transaction(self.engine) as session:
            done = session.get(JobRun, self._name(session, "roster"))
            if done is not None:
                return date.fromisoformat(str(done.arguments["week_start"]))
        return next_monday(self.today)

    def _publish(self, version_id: int) -> None:
        with transaction(self.engine) as session:
            state = session.get_one(RosterVersion, version_id).state
            if state == RosterState.DRAFT:
                review(session, self.community_id, version_id, by=REVIEWER)
                state = RosterState.REVIEWED
            if state == RosterState.REVIEWED:
                publish(session, self.community_id, version_id, by=ACTOR)

    def _write(self, version_id: int, summary: Path) -> None:
        # Maps and workbooks are slow to import, and a second run writes none.
        from api.demo.summary import write_summary
        from api.hotspots.picture import write_hotspot_map
        from api.rosters.excel import write_roster_xlsx
        from api.routes.outputs import write_route_maps

        self.out.mkdir(parents=True, exist_ok=True)
        with transaction(self.engine) as session:
            write_roster_xlsx(session, version_id, self.out / "排班表.xlsx")
            findings = write_hotspot_map(
                session, self.community_id, self.out / "热点图.html", day=self.today
            )
            write_route_maps(
                session, version_id, self.out / "路线图", assets=self.settings.offline_assets
            )
            version = session.get_one(RosterVersion, version_id)
            write_summary(
                session,
                version,
                problem_of(version),
                plan_of(version),
                findings,
                summary,
            )

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Tell a step and how long it took."""
        started = monotonic()
        self.console.print(f"· {what} …", end="")
        yield
        self.console.print(f" {monotonic() - started:.1f} 秒")

    def job(
        self, beside: WorkerBeside, kind: str, name: str, what: str, arguments: dict[str, object]
    ) -> JobRun:
        """Ask for a job under a name of its own and follow it; a second time it is done already."""
        with transaction(self.engine) as session:
            run_id = ask(
                session,
                kind,
                arguments,
                community_id=self.community_id,
                asked_by=ACTOR,
                run_id=self._name(session, name),
            )
            done = session.get_one(JobRun, run_id).state == JobState.DONE
        if done:
            with transaction(self.engine) as session:
                self.console.print(f"· {what}：已完成")
                return session.get_one(JobRun, run_id)
        return follow_with(beside, self.engine, run_id, what, self.console)

    def _name(self, session: Session, name: str) -> str:
        return f"demo-{session.get_one(Community, self.community_id).code}-{name}"
