"""``./xunge import``: look at a file, commit it as a batch, undo a batch."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from api.audit import record
from api.ground import open_ground
from api.imports.choosing import community_of
from api.incidents.commands import import_file
from api.settings import settings
from api.today import today
from grid.database import transaction
from grid.errors import NotFound
from grid.imports.batches import batches, commit, hint_on_system, undo
from grid.imports.boundary import set_boundary
from grid.imports.preview import Preview, look
from grid.imports.targets import OSM, SPECS, Target

commands = typer.Typer(
    help="导入楼栋、小区、网格、步行道、重点部位、必到点、OSM / import files", no_args_is_help=True
)
ACTOR = "cli"
KIND_WORDS = {target.value: spec.zh for target, spec in SPECS.items()} | {
    OSM: "OSM",
    "incidents": "事件",
}
ERRORS_SHOWN = 30

File = Annotated[Path, typer.Argument(help="要导入的文件 / the file")]
CommunityCode = Annotated[
    str | None,
    typer.Option("--community", help="12 位社区代码；只有一个社区时可省 / community code"),
]
Crs = Annotated[
    str | None,
    typer.Option("--crs", help="坐标系：EPSG:4490、EPSG:4523、GCJ-02、BD-09 … / coordinate system"),
]
Swap = Annotated[bool, typer.Option("--swap", help="对调两列坐标 / y before x")]
Layer = Annotated[str | None, typer.Option(help="图层或工作表 / layer or sheet")]
Lon = Annotated[str | None, typer.Option(help="经度列 / longitude column")]
Lat = Annotated[str | None, typer.Option(help="纬度列 / latitude column")]
Columns = Annotated[
    list[str] | None, typer.Option("--map", help="字段=列，如 number=楼号 / field=column")
]
Repair = Annotated[bool, typer.Option("--repair", help="尝试修复无效的面 / mend invalid areas")]
PreviewOnly = Annotated[bool, typer.Option("--preview", help="只看不导入 / look only")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="不再询问 / do not ask")]
SkipErrors = Annotated[
    bool, typer.Option("--skip-errors", help="跳过有错的行 / leave bad rows out")
]
Anyway = Annotated[
    bool, typer.Option("--anyway", help="坐标可疑但已核对 / coordinates were checked")
]


def _show(preview: Preview, console: Console) -> None:
    """Print a preview: how it is read, figures, notes, doubts, errors, the first rows."""
    read_as = preview.system.zh if preview.system else "（未知，请用 --crs 选择）"
    console.print(f"[bold]{preview.filename}[/bold]  坐标系：{read_as}", highlight=False)
    for part in preview.parts:
        mapped = "，".join(
            f"{field.zh}←{part.mapping[field.name]}"
            for field in part.spec.fields
            if part.mapping.get(field.name)
        )
        console.print(
            f"{part.spec.zh}：文件 {part.total} 行，新增 {len(part.new)}，已有 {part.unchanged}，"
            f"有错 {len(part.errors)}" + (f"，社区外 {part.outside}" if part.outside else ""),
            highlight=False,
        )
        if mapped and preview.kind != OSM:
            console.print(f"  列：{mapped}", style="dim", highlight=False)
    if preview.kind != OSM:
        _show_rows(preview, console)
    for note in preview.notes:
        console.print(f"· {note.zh}", highlight=False, soft_wrap=True)
    for doubt in preview.doubts:
        console.print(f"! {doubt.zh}", style="yellow", highlight=False, soft_wrap=True)
    if preview.system is None and not preview.doubts:
        hint = hint_on_system(preview)[0]
        console.print(f"! {hint}", style="yellow", highlight=False, soft_wrap=True)
    for error in preview.errors[:ERRORS_SHOWN]:
        said = f"第 {error.row} 行：{error.zh}"
        console.print(said, style="red", highlight=False, soft_wrap=True)
    if len(preview.errors) > ERRORS_SHOWN:
        console.print(f"…… 共 {len(preview.errors)} 行有错", style="red", highlight=False)


def _show_rows(preview: Preview, console: Console) -> None:
    (part,) = preview.parts
    names = list(part.sample[0][1]) if part.sample else []
    if not names:
        return
    words = {field.name: field.zh for field in part.spec.fields}
    table = Table("行", *(words[name] for name in names))
    for row, values in part.sample:
        table.add_row(str(row), *(values.get(name, "") for name in names))
    console.print(table)


def _import(
    kind: str,
    file: Path,
    community: str | None,
    *,
    crs: str | None,
    swap: bool,
    layer: str | None,
    lon: str | None,
    lat: str | None,
    columns: list[str] | None,
    repair: bool,
    preview_only: bool,
    yes: bool,
    skip_errors: bool,
    anyway: bool,
) -> None:
    console = Console()
    chosen = dict(part.split("=", 1) for part in columns or [] if "=" in part)
    with transaction(open_ground(settings())) as session:
        home = community_of(session, community)
        with console.status("正在读取……"):
            preview = look(
                session,
                file,
                kind,
                home.id,
                source_crs=crs,
                swap=swap,
                columns=chosen,
                layer=layer,
                x_column=lon,
                y_column=lat,
                repair=repair,
                limit_mb=settings().upload_limit_mb,
            )
        _show(preview, console)
        if preview_only:
            return
        wanted = preview.new and preview.system and not yes
        if wanted and not typer.confirm(f"导入 {preview.new} 条到{home.name}？", default=False):
            console.print("没有导入。")
            return
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("导入", total=1.0)
            batch = commit(
                session,
                preview,
                today=today(settings()),
                by=ACTOR,
                skip_errors=skip_errors,
                anyway=anyway,
                progress=lambda done: bar.update(task, completed=done),
            )
        if batch is None:
            console.print("文件里没有新的内容，库里没有变化。")
            return
        record(
            session,
            actor=ACTOR,
            action="import.commit",
            target=f"batch:{batch.id}",
            community_id=home.id,
            details={
                "kind": kind,
                "filename": batch.filename,
                "crs": batch.source_crs,
                "rows": batch.rows,
                "errors": len(preview.errors),
            },
        )
        number, rows = batch.id, batch.rows
    console.print(
        f"已导入 {rows} 条，批次 {number}。撤销：./xunge import undo {number}", highlight=False
    )


def _command(kind: str, zh: str, en: str) -> None:
    @commands.command(kind, help=f"导入{zh} / import {en}")
    def bring_in(
        file: File,
        community: CommunityCode = None,
        crs: Crs = None,
        swap: Swap = False,
        layer: Layer = None,
        lon: Lon = None,
        lat: Lat = None,
        columns: Columns = None,
        repair: Repair = False,
        preview: PreviewOnly = False,
        yes: Yes = False,
        skip_errors: SkipErrors = False,
        anyway: Anyway = False,
    ) -> None:
        _import(
            kind,
            file,
            community,
            crs=crs,
            swap=swap,
            layer=layer,
            lon=lon,
            lat=lat,
            columns=columns,
            repair=repair,
            preview_only=preview,
            yes=yes,
            skip_errors=skip_errors,
            anyway=anyway,
        )


for target in Target:
    _command(target.value, SPECS[target].zh, SPECS[target].en)
_command(OSM, " OSM 数据：楼栋、步行道、出入口、小区", "an OSM extract")


# A ledger is no layer of the ground: the room of incidents knows how to read it.
commands.command("incidents", help="导入事件台账 / import a ledger of incidents")(import_file)


@commands.command("boundary")
def boundary(
    file: File,
    community: CommunityCode = None,
    crs: Crs = None,
    swap: Swap = False,
    layer: Layer = None,
    feature: Annotated[
        str | None, typer.Option(help="要素的一个属性值，如名称 / a value of the feature meant")
    ] = None,
) -> None:
    """设定社区边界（替换原有边界）/ set the community's boundary."""
    with transaction(open_ground(settings())) as session:
        home = community_of(session, community)
        done = set_boundary(
            session,
            home,
            file,
            source_crs=crs,
            swap=swap,
            layer=layer,
            feature=feature,
            limit_mb=settings().upload_limit_mb,
        )
        record(
            session,
            actor=ACTOR,
            action="community.boundary",
            target=home.code,
            community_id=home.id,
            details={
                "filename": file.name,
                "crs": done.source_crs,
                "area_m2": round(done.area_m2),
                "previous": done.previous,
            },
        )
        name = home.name
    typer.echo(
        f"已设定{name}的边界：{done.area_m2 / 10_000:,.1f} 公顷，按 EPSG:{done.metric_srid} 量算。"
    )
    if done.buildings_outside:
        typer.echo(f"注意：{done.buildings_outside} 栋楼在新边界以外，请核对。")
    typer.echo("请运行 ./xunge cells check 检查网格是否仍然铺满社区。")


@commands.command("list")
def list_batches(community: CommunityCode = None) -> None:
    """列出导入批次 / list batches."""
    table = Table("批次", "内容", "文件", "坐标系", "条数", "日期", "导入人", "状态")
    for column in table.columns:
        column.overflow = "fold"
    with transaction(open_ground(settings())) as session:
        home = community_of(session, community)
        for batch in batches(session, home.id):
            table.add_row(
                str(batch.id),
                KIND_WORDS.get(batch.kind, batch.kind),
                batch.filename,
                batch.source_crs,
                str(batch.rows),
                batch.imported_on.isoformat(),
                batch.imported_by,
                "已撤销" if batch.undone else "",
            )
    if table.row_count:
        Console().print(table)
    else:
        typer.echo("还没有导入过。")


@commands.command("undo")
def undo_batch(
    batch: Annotated[int, typer.Argument(help="批次号 / batch number")],
    community: CommunityCode = None,
) -> None:
    """整批撤销 / undo a batch."""
    if batch < 1:
        raise NotFound(thing="导入批次", name=batch)
    with transaction(open_ground(settings())) as session:
        home = community_of(session, community)
        gone = undo(session, batch, home.id)
        record(
            session,
            actor=ACTOR,
            action="import.undo",
            target=f"batch:{batch}",
            community_id=home.id,
            details={"rows": gone},
        )
    typer.echo(f"已撤销批次 {batch}，移走 {gone} 条。")
