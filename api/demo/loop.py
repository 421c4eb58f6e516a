"""The whole loop once: incidents, hotspots, requirements, roster, routes, outputs.

Every step looks first whether it is done: running the loop again is quick and changes nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from time import monotonic

from rich.console import Console
from sqlalchemy import Engine

from api.demo.follow import follow
from api.job_runs import JobRun
from api.jobs import ask
from grid.communities import Community
from grid.database import transaction

ACTOR = "demo"


@dataclass
class Loop:
    """One community's walk through the loop, told on a console."""

    engine: Engine
    community_id: int
    today: date
    console: Console

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Tell a step and how long it took."""
        started = monotonic()
        self.console.print(f"· {what} …", end="")
        yield
        self.console.print(f" {monotonic() - started:.1f} 秒")

    def job(self, kind: str, name: str, what: str, arguments: dict[str, object]) -> JobRun:
        """Ask for a job under a name of its own and follow it; a second time it is done already."""
        with transaction(self.engine) as session:
            community = session.get_one(Community, self.community_id)
            run_id = ask(
                session,
                kind,
                arguments,
                community_id=self.community_id,
                asked_by=ACTOR,
                run_id=f"demo-{community.code}-{name}",
            )
        return follow(self.engine, run_id, what, self.console)
