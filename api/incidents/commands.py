"""``./xunge incident``: import a ledger, hand one out, count what is there."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.audit import record
from api.ground import open_ground
from api.imports.choosing import community_of
from api.incidents.export import as_csv, as_workbook, ledger_rows
from api.settings import settings
from api.today import now, today
from grid.coordinates import source_system
from grid.database import transaction
from grid.errors import DomainError
from grid.imports.errors import RowError
from grid.incident_table import Preview, preview_incidents
from grid.incident_words import CLASSES, SOURCES, Word, read_word
from grid.incidents import IncidentClass, Source
from grid.intake import commit
from grid.ledger import Filters, read_page

commands = typer.Typer(help="事件台账 / the ledger of incidents", no_args_is_help=True)
ACTOR = "cli"
SHOWN = 20

CommunityCode = Annotated[
    str | None, typer.Option("--community", help="12 位社区代码，只有一个社区时可省略 / its code")
]


class WordUnknown(DomainError):
    """A source or class that does not exist."""

    zh = "“{word}”不认识，可填：{choices}。"
    en = "“{word}” is not known; it may be {choices}."


def _word(kind: type[Word], names: dict[Word, str], written: str | None) -> Word | None:
    if written is None:
        return None
    found = read_word(kind, names, written)
    if found is None:
        raise WordUnknown(word=written, choices="、".join(names.values()))
    return found


def _list(console: Console, title: str, rows: tuple[RowError, ...]) -> None:
    if not rows:
        return
    table = Table("行", title=title, title_justify="left")
    table.add_column("说明", overflow="fold")
    for row in rows[:SHOWN]:
        table.add_row(str(row.row), row.zh)
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"……另有 {len(rows) - SHOWN} 行")


def _tell(console: Console, preview: Preview) -> None:
    intake = preview.intake
    for note in preview.notes:
        console.print(note.zh, style="yellow")
    _list(console, "有误的行（不导入）", intake.errors)
    _list(console, "会导入、但请知悉的行", intake.warnings)
    console.print(
        f"将新增 {len(intake.new)} 条（其中已定位 {intake.placed} 条），台账里已有 "
        f"{intake.already} 条，文件内重复 {intake.repeated} 条，有误 {len(intake.errors)} 行。"
    )


@commands.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="Excel（.xlsx）或 CSV / a table")],
    crs: Annotated[
        str | None,
        typer.Option(help="坐标系：EPSG:4326、EPSG:4544、GCJ-02、BD-09 … / source system"),
    ] = None,
    source: Annotated[str | None, typer.Option(help="文件没有来源列时 / where it has none")] = None,
    incident_class: Annotated[
        str | None, typer.Option("--class", help="文件没有类别列时 / where it has none")
    ] = None,
    community: CommunityCode = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只预览 / preview only")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="有误的行一条也不导入 / nothing where a row is wrong")
    ] = False,
) -> None:
    """导入事件台账，重复导入不会增加 / import a ledger; importing it again adds nothing."""
    chosen = settings()
    console = Console()
    with transaction(open_ground(chosen)) as session:
        here = community_of(session, community)
        preview = preview_incidents(
            session,
            here.id,
            file,
            now=now(chosen),
            system=source_system(crs) if crs else None,
            source=_word(Source, dict(SOURCES), source),
            incident_class=_word(IncidentClass, dict(CLASSES), incident_class),
            limit_mb=chosen.upload_limit_mb,
        )
        _tell(console, preview)
        if strict and preview.intake.errors:
            console.print("有误的行请先改正；台账没有变化。", style="bold red")
            raise typer.Exit(1)
        if dry_run:
            console.print("仅预览，台账没有变化。")
            return
        batch = commit(
            session,
            here.id,
            preview.intake,
            filename=file.name,
            system=preview.system,
            today=today(chosen),
            by=ACTOR,
        )
        if batch is None:
            console.print("没有新的事件，台账没有变化。")
            return
        record(
            session,
            actor=ACTOR,
            action="incident.import",
            target=f"batch:{batch.id}",
            community_id=here.id,
            details={"filename": file.name, "rows": batch.rows},
        )
        console.print(f"已导入 {batch.rows} 条事件（批次 {batch.id}）。", style="green")


@commands.command("export")
def export_file(
    file: Annotated[Path, typer.Argument(help="写到 .xlsx 或 .csv / where to write")],
    community: CommunityCode = None,
) -> None:
    """导出事件台账 / hand out the ledger as Excel or CSV."""
    with transaction(open_ground(settings())) as session:
        here = community_of(session, community)
        rows = list(ledger_rows(session, here.id, Filters()))
        written = as_csv if file.suffix.lower() == ".csv" else as_workbook
        file.write_bytes(written(iter(rows)))
        record(
            session,
            actor=ACTOR,
            action="incident.export",
            target=f"community:{here.id}",
            community_id=here.id,
            details={"format": file.suffix.lower().lstrip("."), "rows": len(rows)},
        )
    typer.echo(f"已导出 {len(rows)} 条事件到 {file}。")


@commands.command("count")
def count(community: CommunityCode = None) -> None:
    """各类事件有多少 / how many incidents of each class."""
    table = Table("类别", "条数")
    with transaction(open_ground(settings())) as session:
        here = community_of(session, community)
        found = read_page(session, here.id, Filters(), number=1, per_page=1)
        for key, name in CLASSES.items():
            table.add_row(name, str(found.by_class.get(key.value, 0)))
        table.add_row("未结案", str(found.still_open))
    Console().print(table)
