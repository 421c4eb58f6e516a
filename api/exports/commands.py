"""``./xunge export``: places to a GeoPackage, GeoJSON or Excel file."""

from pathlib import Path
from typing import Annotated

import typer

from api.audit import record
from api.ground import open_ground
from api.imports.choosing import community_of
from api.settings import settings
from api.today import today
from grid.coordinates import source_system
from grid.database import transaction
from grid.errors import DomainError
from grid.export import WORDS, Format, Kind, write

commands = typer.Typer(
    help="导出地点：GeoPackage、GeoJSON、Excel / export places to a file", no_args_is_help=True
)


class UnknownExtension(DomainError):
    """A file name whose extension is no format of ours."""

    zh = "不支持导出为“{name}”。文件名请以 .gpkg、.geojson 或 .xlsx 结尾。"
    en = "“{name}” is not a format exports are written in. End the name with .gpkg, .geojson or .xlsx."


File = Annotated[Path, typer.Argument(help="写到哪个文件 / the file to write")]
CommunityCode = Annotated[
    str | None,
    typer.Option("--community", help="12 位社区代码；只有一个社区时可省 / community code"),
]
Crs = Annotated[
    str, typer.Option("--crs", help="坐标系：EPSG:4326、EPSG:4490 或投影带 / coordinate system")
]


def _export(kinds: list[Kind], file: Path, community: str | None, crs: str) -> None:
    if file.suffix.lower().lstrip(".") not in set(Format):
        raise UnknownExtension(name=file.name)
    srid = source_system(crs).epsg or 0
    with transaction(open_ground(settings())) as session:
        home = community_of(session, community)
        file.parent.mkdir(parents=True, exist_ok=True)
        written = write(session, home.id, kinds, file, day=today(settings()), srid=srid)
        record(
            session,
            actor="cli",
            action="places.export",
            target=file.name,
            community_id=home.id,
            details={"crs": f"EPSG:{srid}", **{k.value: n for k, n in written.items()}},
        )
    said = "，".join(f"{WORDS[kind][0]} {number}" for kind, number in written.items())
    typer.echo(f"已导出 {said}（EPSG:{srid}）到 {file}")


def _command(name: str, kinds: list[Kind], help_text: str) -> None:
    @commands.command(name, help=help_text)
    def export(file: File, community: CommunityCode = None, crs: Crs = "EPSG:4326") -> None:
        _export(kinds, file, community, crs)


for one in Kind:
    _command(one.value, [one], f"导出{WORDS[one][0]} / export {WORDS[one][1]}")
_command("all", list(Kind), "导出全部（GeoPackage 或 Excel）/ export everything")
