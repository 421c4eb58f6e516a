"""What can be imported: for each target its table, its shape and its fields' usual column names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from grid.cells import GridCell
from grid.communities import Building, Estate
from grid.imports.lonlat import find_column
from grid.imports.values import Reader, building_number, choice, digits, text, whole, yes_no
from grid.places import Checkpoint, KeyPlace
from grid.walkways import Walkway


class Target(StrEnum):
    """What a file's features become."""

    BUILDINGS = "buildings"
    ESTATES = "estates"
    CELLS = "cells"
    WALKWAYS = "walkways"
    PLACES = "places"
    CHECKPOINTS = "checkpoints"


OSM = "osm"
"""The kind of a batch from an OSM extract, which fills several targets at once."""


class Shape(StrEnum):
    """The kind of geometry a target needs."""

    AREA = "area"
    LINE = "line"
    POINT = "point"


@dataclass(frozen=True)
class FieldSpec:
    """One field of a target: its column names in files, and how its values are read."""

    name: str
    zh: str
    en: str
    names: tuple[str, ...]
    read: Reader
    required: bool = False


@dataclass(frozen=True)
class TargetSpec:
    """A target's words, table, shape and fields; ``key`` is the field that names a row for ever."""

    zh: str
    en: str
    table: type[Any]
    shape: Shape
    shape_column: str
    key: str
    fields: tuple[FieldSpec, ...]


ESTATE_KINDS = {
    "public_rental": ("公租", "廉租"),
    "resettlement": ("安置", "回迁", "拆迁", "还建"),
    "factory_quarter": ("厂区", "家属", "单位", "工厂"),
    "commercial": ("商品",),
    "other": ("其他", "其它"),
}
BUILDING_USES = {
    "residential": ("住宅", "居住", "宿舍", "公寓", "apartment", "house"),
    "school": ("学校", "教学", "幼儿园", "小学", "中学"),
    "industrial": ("厂房", "工业", "车间", "仓库"),
    "commercial": ("商业", "商铺", "商住", "市场", "办公", "超市", "酒店"),
    "public": ("公共", "社区", "医院", "卫生", "政府", "派出所", "公建"),
    "unknown": ("未知", "不详"),
    "other": ("其他", "其它"),
}
PLACE_KINDS = {
    "garage": ("车库", "停车", "地下室"),
    "fire_lane": ("消防",),
    "roof": ("楼顶", "屋顶", "天台", "屋面"),
    "gate": ("大门", "出入口", "门岗", "门卫", "入口", "东门", "西门", "南门", "北门"),
    "riverside": ("河", "江", "湖", "塘", "水边", "滨水"),
    "square": ("广场", "空地", "活动"),
    "warehouse": ("仓库", "库房"),
    "police_room": ("警务", "治安岗", "岗亭"),
    "other": ("其他", "其它"),
}

_KEY = FieldSpec(
    "source_key",
    "唯一编码",
    "source key",
    (
        "source_key",
        "唯一编码",
        "唯一标识",
        "标识码",
        "要素编码",
        "编码",
        "uuid",
        "guid",
        "osm_id",
        "@id",
        "id",
    ),
    text(120),
)
_ESTATE = FieldSpec(
    "estate",
    "小区",
    "estate",
    ("estate", "小区", "小区名称", "所属小区", "所在小区", "院落"),
    text(),
)

SPECS: dict[Target, TargetSpec] = {
    Target.BUILDINGS: TargetSpec(
        "楼栋", "buildings", Building, Shape.AREA, "footprint", "source_key",
        (
            _KEY,
            _ESTATE,
            FieldSpec("number", "楼号", "number", ("number", "楼号", "栋号", "幢号", "楼栋号", "楼栋", "楼幢号", "栋", "addr:housenumber"), building_number),
            FieldSpec("name", "名称", "name", ("name", "名称", "楼栋名称", "楼名", "建筑物名称", "建筑名称", "建筑物名", "建筑物", "name:zh"), text()),
            FieldSpec("use", "用途", "use", ("use", "用途", "建筑用途", "房屋用途", "类型", "building"), choice(BUILDING_USES, "other")),
            FieldSpec("floors", "层数", "floors", ("floors", "层数", "楼层数", "楼层", "总层数", "地上层数", "building:levels", "floor"), whole(0, 200)),
            FieldSpec("units", "单元数", "stairwells", ("units", "单元数", "单元"), whole(1, 50)),
            FieldSpec("households", "户数", "households", ("households", "户数", "总户数", "住户数", "building:flats"), whole(0, 5000)),
            FieldSpec("residents", "人数", "residents", ("residents", "人数", "常住人口", "人口", "人口数", "居民数", "居住人数"), whole(0, 20000)),
            FieldSpec("counts_estimated", "户数人数为估算", "counts are estimates", ("counts_estimated", "户数人数为估算", "人数为估算", "是否估算"), yes_no),
        ),
    ),
    Target.ESTATES: TargetSpec(
        "小区", "estates", Estate, Shape.AREA, "boundary", "name",
        (
            FieldSpec("name", "名称", "name", ("name", "小区名称", "小区", "名称", "院落名称", "楼盘名称"), text(), required=True),
            FieldSpec("kind", "类型", "kind", ("kind", "类型", "小区类型", "性质", "房屋性质"), choice(ESTATE_KINDS, "other")),
            FieldSpec("employer", "物业公司", "property firm", ("employer", "物业公司", "物业", "物业企业", "物业服务企业", "物业单位"), text()),
        ),
    ),
    Target.CELLS: TargetSpec(
        "网格", "grid cells", GridCell, Shape.AREA, "boundary", "code",
        (
            FieldSpec("code", "网格编码", "code", ("code", "网格编码", "网格代码", "网格编号", "编码", "代码", "bgcode"), digits(15)),
            FieldSpec("name", "名称", "name", ("name", "网格名称", "名称", "网格", "bgname"), text()),
        ),
    ),
    Target.WALKWAYS: TargetSpec(
        "步行道", "walkways", Walkway, Shape.LINE, "line", "source_key",
        (
            _KEY,
            FieldSpec("kind", "类型", "kind", ("kind", "highway", "类型", "道路类型", "道路等级", "fclass"), text(40)),
            FieldSpec("name", "名称", "name", ("name", "名称", "道路名称", "路名", "name:zh"), text()),
        ),
    ),
    Target.PLACES: TargetSpec(
        "重点部位", "key places", KeyPlace, Shape.POINT, "location", "source_key",
        (
            _KEY,
            FieldSpec("name", "名称", "name", ("name", "名称", "部位名称", "重点部位", "部位", "地点", "点位名称"), text(), required=True),
            FieldSpec("kind", "类别", "kind", ("kind", "类别", "部位类别", "类型", "部位类型"), choice(PLACE_KINDS, "other")),
            _ESTATE,
        ),
    ),
    Target.CHECKPOINTS: TargetSpec(
        "必到点", "checkpoints", Checkpoint, Shape.POINT, "location", "code",
        (
            FieldSpec("code", "编号", "code", ("code", "编号", "点位编号", "编码", "序号"), text(20)),
            FieldSpec("name", "名称", "name", ("name", "名称", "点位名称", "必到点", "必到点名称", "点位", "地点"), text(), required=True),
            FieldSpec("dwell_min", "停留分钟", "minutes to stay", ("dwell_min", "停留分钟", "停留时间", "停留时长", "驻留时间", "停留"), whole(0, 120)),
        ),
    ),
}  # fmt: skip

PERSONAL = (
    "身份证", "证件号", "手机", "电话", "联系方式", "微信", "qq", "车牌", "户主", "业主", "住户姓名", "姓名",
    "人脸", "民族", "出生", "idcard", "phone", "mobile", "plate",
)  # fmt: skip
"""Words in a column's name that tell of persons: such columns are never shown and never stored."""


def is_personal(column: str) -> bool:
    """Say whether a column's name tells of persons."""
    return any(word in column.lower() for word in PERSONAL)


def guess_mapping(
    target: Target, columns: Sequence[str], chosen: Mapping[str, str] | None = None
) -> dict[str, str | None]:
    """Return for each field of a target the column it is read from, or None.

    ``columns`` are those that may be stored (none of persons). ``chosen`` overrides the guess; an
    empty string leaves the field out. A column serves one field.
    """
    chosen = chosen or {}
    mapping: dict[str, str | None] = {}
    taken = {column for column in chosen.values() if column}
    for field in SPECS[target].fields:
        if field.name in chosen:
            mapping[field.name] = chosen[field.name] or None
            continue
        free = [c for c in columns if c not in taken]
        found = find_column(free, field.names)
        mapping[field.name] = found
        if found:
            taken.add(found)
    return mapping
