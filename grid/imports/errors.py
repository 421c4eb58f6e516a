"""What can be wrong with an imported file, as sentences; and with one of its rows."""

from dataclasses import dataclass

from grid.errors import DomainError


@dataclass(frozen=True)
class RowError:
    """Why one row of a file cannot be taken, in both languages.

    ``row`` is the number a person sees: the spreadsheet's own row (the header is row 1), or the
    feature's place in its file counted from 1.
    """

    row: int
    zh: str
    en: str
    column: str | None = None

    def sentence(self, locale: str = "zh") -> str:
        """Return the sentence in ``zh`` or ``en``, without the row number."""
        return self.en if locale.startswith("en") else self.zh


@dataclass(frozen=True)
class Note:
    """Something a person should know about a file that does not stop it."""

    zh: str
    en: str

    def sentence(self, locale: str = "zh") -> str:
        """Return the sentence in ``zh`` or ``en``."""
        return self.en if locale.startswith("en") else self.zh


class FileMissing(DomainError):
    """There is no such file, or it is a folder."""

    zh = "找不到文件“{path}”。请检查路径。"
    en = "There is no file at “{path}”. Check the path."
    status = 404


class FileEmpty(DomainError):
    """The file has no bytes, or no rows."""

    zh = "文件“{name}”里没有内容。请确认导出时选中了数据。"
    en = "The file “{name}” has nothing in it. Make sure that data were selected when it was exported."


class FileTooLarge(DomainError):
    """The file is over the limit; nothing of it was read."""

    zh = "文件“{name}”有 {size_mb} MB，超过 {limit_mb} MB 的上限，未读取。请裁剪到本社区范围或拆分后再导入；管理员可用 XUNGE_UPLOAD_LIMIT_MB 调整上限。"
    en = "The file “{name}” is {size_mb} MB, over the limit of {limit_mb} MB; it was not read. Clip it to the community or split it; the administrator can raise XUNGE_UPLOAD_LIMIT_MB."
    status = 413


class FormatUnknown(DomainError):
    """Nothing we can read."""

    zh = "认不出文件“{name}”的格式。可导入：GeoJSON、GeoPackage（.gpkg）、压缩成 .zip 的 Shapefile、KML/KMZ、Excel（.xlsx）、CSV、OSM（.osm/.pbf）。"
    en = "The format of “{name}” is not known. What can be imported: GeoJSON, GeoPackage (.gpkg), a zipped Shapefile, KML/KMZ, Excel (.xlsx), CSV, OSM (.osm/.pbf)."


class NotATable(DomainError):
    """A table was needed and the file is something else."""

    zh = "文件“{name}”实际是 {found}，不是表格。请提供 Excel（.xlsx）或 CSV。"
    en = "The file “{name}” is really {found}, not a table. Give an Excel (.xlsx) or CSV file."


class OldExcel(DomainError):
    """The binary Excel format of before 2007, or a workbook locked with a password."""

    zh = "文件“{name}”是旧版 Excel（.xls）或加了密码的工作簿，读不了。请在 Excel/WPS 里去掉密码、另存为 .xlsx 后再导入。"
    en = "The file “{name}” is an old Excel file (.xls) or is locked with a password. Remove the password, save it as .xlsx and import that."


class FileBroken(DomainError):
    """The file ends too early or is damaged."""

    zh = "文件“{name}”不完整或已损坏（{where}）。多半是传输中断：请重新导出或重新拷贝后再导入。"
    en = "The file “{name}” is incomplete or damaged ({where}). A transfer was probably cut off: export or copy it again."


class TextUnreadable(DomainError):
    """Bytes that are neither UTF-8 nor GBK."""

    zh = "文件“{name}”的文字既不是 UTF-8 也不是 GBK（第 {line} 行）。请另存为“CSV UTF-8”后再导入。"
    en = "The text of “{name}” is neither UTF-8 nor GBK (line {line}). Save it as “CSV UTF-8” and import that."


class TooManyRows(DomainError):
    """More rows than one batch may hold."""

    zh = "文件“{name}”超过 {limit} 行的上限。请按小区或月份拆分后分批导入。"
    en = "The file “{name}” has more than {limit} rows. Split it by estate or month and import the parts."


class ZipUnsafe(DomainError):
    """An archive that would write outside its folder, or unpack to a flood."""

    zh = "压缩包“{name}”不安全，已拒绝：{why}。请只压缩需要导入的那几个文件，重新打包。"
    en = "The archive “{name}” is not safe and was refused: {why_en}. Pack only the files to import, anew."


class XmlUnsafe(DomainError):
    """XML that defines entities or a DTD."""

    zh = "文件“{name}”带有实体定义（DTD），可能是攻击文件，已拒绝。请用地图软件重新导出。"
    en = "The file “{name}” defines XML entities (a DTD), as attack files do, and was refused. Export it anew from the map program."


class WrongKind(DomainError):
    """A file of a kind that cannot be imported, whatever its name says."""

    zh = "文件“{name}”实际是 {found}，不能导入。{cure}"
    en = "The file “{name}” is really {found} and cannot be imported. {cure_en}"


class ShapefileIncomplete(DomainError):
    """Some of the files a shapefile is made of are missing."""

    zh = "压缩包“{name}”里的 Shapefile 缺少 {missing} 文件。请把同名的 .shp、.shx、.dbf、.prj 一起压缩成 .zip 再导入。"
    en = "The shapefile in “{name}” lacks its {missing} file. Zip the .shp, .shx, .dbf and .prj of the same name together."


class LayerNotChosen(DomainError):
    """A file with several layers and none named."""

    zh = "文件“{name}”里有多个图层：{layers}。请选择其中一个（命令行用 --layer）。"
    en = "The file “{name}” holds several layers: {layers}. Choose one (on the command line, --layer)."


class CoordinateColumnsUnknown(DomainError):
    """A table without recognisable coordinate columns."""

    zh = "表格“{name}”里认不出坐标列，现有列：{columns}。请指定经度列和纬度列，或提供名为 WKT 的几何列。"
    en = "No coordinate columns were recognised in “{name}”; its columns are {columns}. Name the longitude and latitude columns, or give the shapes in a column named WKT."


class NoSuchColumn(DomainError):
    """A chosen column is not in the file."""

    zh = "文件里没有列“{column}”。现有列：{columns}。"
    en = "The file has no column “{column}”. Its columns are {columns}."


class NotSpatial(DomainError):
    """JSON or XML of another kind."""

    zh = "文件“{name}”是 JSON，但不是 GeoJSON（缺少 FeatureCollection 和几何）。请用地图软件导出为 GeoJSON。"
    en = "The file “{name}” is JSON but not GeoJSON (no FeatureCollection, no geometry). Export it as GeoJSON from the map program."


class RowsWrong(DomainError):
    """Rows that cannot be taken, and nobody said to leave them out."""

    zh = "有 {count} 行不能导入，没有导入任何内容。请按列出的行号改正文件后重试，或选择“跳过有错的行”（命令行用 --skip-errors）。首条：第 {row} 行，{first}。"
    en = "{count} rows cannot be imported; nothing was. Mend the rows listed and try again, or choose to skip them (--skip-errors). The first: row {row}, {first_en}."


class DoubtOpen(DomainError):
    """The coordinates look wrong and nobody confirmed them."""

    zh = "坐标可疑，没有导入任何内容：{doubt}核对无误后，可勾选“已核对来源”再导入（命令行用 --anyway）。"
    en = "The coordinates look wrong; nothing was imported: {doubt_en} If you have checked them, confirm that (--anyway)."


class BatchHeld(DomainError):
    """A batch that something later depends on."""

    zh = "批次 {batch} 不能撤销：它带来的内容已被{users}引用。请先处理这些引用，再撤销。"
    en = (
        "Batch {batch} cannot be undone: what it brought is used by {users_en}. Settle those first."
    )
    status = 409


class BatchUndone(DomainError):
    """A batch that was undone before."""

    zh = "批次 {batch} 已经撤销过了。"
    en = "Batch {batch} has been undone already."
    status = 409


class ChangedSince(DomainError):
    """A batch changed rows that somebody changed again."""

    zh = "批次 {batch} 不能撤销：{names}在导入之后又被修改过。请直接修改这些队员的资料。"
    en = (
        "Batch {batch} cannot be undone: {names_en} were changed again since. Change them directly."
    )
    status = 409


class NoBoundaryYet(DomainError):
    """A community without a boundary cannot be compared with an extract."""

    zh = "社区“{name}”还没有边界，无法从 OSM 数据里挑出本社区的内容。请先导入或绘制社区边界。"
    en = "Community “{name}” has no boundary, so what of the extract is its own cannot be told. Import or draw the boundary first."
    status = 409


class PersonalColumn(DomainError):
    """A column about persons was chosen to be stored."""

    zh = "列“{column}”是个人信息，不能导入：本系统只记录地点，不记录个人。请改选其他列，或选“不导入”。"
    en = "The column “{column}” is about persons and cannot be imported: only places are kept here. Choose another, or leave the field out."
