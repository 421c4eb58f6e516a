"""Watch a background job from the command line, with its live progress bar."""

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from api.job_runs import JobRun, JobState
from api.jobs import request_stop
from api.worker import WorkerBeside, worker_beside
from grid.database import transaction
from grid.errors import DomainError

POLL_S = 0.3
NO_WORKER_AFTER_S = 60
"""A queued job that nobody takes for so long means that no worker is running."""


NUMBERS = {
    "cost": "代价 ",
    "bound": "下界 ",
    "empty_seats": "空缺 ",
    "done": "已完成 ",
    "total": "共 ",
}
"""The numbers of a job's progress that are worth a word on a narrow line."""


class JobFailed(DomainError):
    """The job ended without a result."""

    zh = "{what}没有完成：{error}"
    en = "{what} did not finish: {error}"


class NobodyWorks(DomainError):
    """No worker takes the job."""

    zh = "没有后台进程领取任务。请另开一个窗口运行 ./xunge worker，任务会自动继续。"
    en = "No worker takes the job. Run ./xunge worker in another window; the job goes on by itself."


def follow(engine: Engine, run_id: str, what: str, console: Console) -> JobRun:
    """Wait for a job and return its row, with a worker of its own where none is alive."""
    with worker_beside(engine) as beside:
        return follow_with(beside, engine, run_id, what, console)


def follow_with(
    beside: WorkerBeside, engine: Engine, run_id: str, what: str, console: Console
) -> JobRun:
    """Wait for a job and return its row; Ctrl-C once asks it to stop and keep the best.

    Whenever no worker is alive meanwhile, ``beside`` starts one.
    """
    bar = Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=28),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[numbers]}"),
        console=console,
        transient=False,
    )
    with bar:
        shown = bar.add_task(what, total=1.0, numbers="")
        asked_to_stop = False
        waited = 0.0
        while True:
            try:
                with transaction(engine) as session:
                    row = session.get_one(JobRun, run_id)
                if row.state in {JobState.DONE, JobState.FAILED}:
                    break
                waited = waited + POLL_S if row.state == JobState.QUEUED else 0.0
                if waited > NO_WORKER_AFTER_S:
                    raise NobodyWorks()
                beside.ensure()
                _show(bar, shown, row, what)
                time.sleep(POLL_S)
            except KeyboardInterrupt:
                if asked_to_stop:
                    raise
                asked_to_stop = True
                with transaction(engine) as session:
                    request_stop(session, run_id)
                console.print("  正在停止，保留目前最好的结果（再按一次 Ctrl-C 立即退出）")
        if row.state == JobState.DONE:
            _show(bar, shown, row, what, fraction=1.0)
    if row.state == JobState.FAILED:
        raise JobFailed(what=what, error=row.error or "")
    return row


def _show(
    bar: Progress, shown: object, row: JobRun, what: str, fraction: float | None = None
) -> None:
    numbers = {
        words: row.progress[key]
        for key, words in NUMBERS.items()
        if row.progress.get(key) is not None
    }
    stage = str(row.progress.get("zh", "")) if fraction is None else ""
    bar.update(
        shown,  # type: ignore[arg-type]
        completed=fraction if fraction is not None else float(str(row.progress.get("fraction", 0))),
        description=f"{what} {stage}".strip(),
        numbers=" ".join(f"{words}{value}" for words, value in numbers.items()),
    )
