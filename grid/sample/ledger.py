"""Two years of the sample's incidents, drawn to given yearly totals with planted hotspots.

The totals per class and category are the input; days, hours, places, sources and endings are
drawn. What the product says of them (433→338 police calls, the hotspots, the satisfaction) is
counted from the rows like anyone's. Year *last* is the 365 days before ``until`` (itself not
included), year *before* the 365 days before those.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import shapely
from shapely.geometry import Point
from shapely.ops import nearest_points

from grid.incidents import IncidentClass, IncidentState, Provenance, Source, Urgency
from grid.sample.buildings import GARDEN, IMPRESSION, WORKS
from grid.sample.ground import Ground, SampleBuilding

LOCAL = ZoneInfo("Asia/Shanghai")
YEAR_DAYS = 365
DEGREES_PER_M = (1.031e-5, 9.02e-6)
"""Longitude and latitude per metre at 29.36° N."""

INSET_M = 2.0
"""Incidents on a street at the edge keep this far inside the community."""
LINGERING = 0.03
"""The share of incidents that take eight times as long as others of their kind."""

MEDIATIONS = 312
JUDICIAL_CONFIRMATIONS = 37
CALLBACKS = {"before": (300, 189), "last": (400, 364)}
"""Callbacks made in each year, and how many of the asked were satisfied: 63 % and 91 %."""

EVENING = (
    0,
    0,
    0,
    0,
    0,
    0,
    0.2,
    0.3,
    0.3,
    0.2,
    0.2,
    0.2,
    0.3,
    0.3,
    0.3,
    0.3,
    0.5,
    1,
    3,
    9,
    12,
    9,
    3,
    0.6,
)
NIGHT = (
    7,
    9,
    10,
    9,
    6,
    2,
    0.5,
    0.3,
    0.2,
    0.2,
    0.2,
    0.2,
    0.4,
    0.4,
    0.3,
    0.3,
    0.3,
    0.4,
    0.6,
    1,
    2,
    3,
    5,
    6,
)
DAY = (0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 1, 3, 6, 8, 8, 6, 4, 5, 7, 7, 6, 5, 3, 2, 1.5, 1, 0.5, 0.2)
AFTER_WORK = (1, 0.6, 0.4, 0.3, 0.3, 0.5, 1, 2, 2, 2, 2, 3, 3, 2, 2, 2, 3, 5, 8, 9, 8, 6, 4, 2)
RUSH = (0.4, 0.2, 0.2, 0.2, 0.2, 0.6, 2, 7, 8, 4, 3, 3, 4, 3, 3, 3, 5, 8, 9, 6, 4, 3, 2, 1)

SUMMER = (0.5, 0.4, 0.7, 1.0, 1.4, 1.7, 1.8, 1.8, 1.5, 1.2, 0.8, 0.5)
WINTER = (1.6, 1.5, 1.0, 0.8, 0.7, 0.7, 0.7, 0.7, 0.8, 0.9, 1.1, 1.5)
LEVEL = (1.0,) * 12
WEEKEND = (0.8, 0.8, 0.85, 0.9, 1.2, 1.5, 1.4)
WORKWEEK = (1.3, 1.15, 1.1, 1.1, 1.1, 0.7, 0.6)
EVERY_DAY = (1.0,) * 7


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that draws more than its share: a building, or the ground about a key place.

    With no spread a building is named by its standard address; else points scatter about it.
    """

    weight: float
    estate: str | None = None
    number: int = 0
    place: str | None = None
    spread_m: float | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One category of one class: totals of the year before and the last, its rhythm, its places."""

    incident_class: IncidentClass
    category: str
    before: int
    last: int
    hours: Sequence[float]
    months: Sequence[float]
    weekdays: Sequence[float]
    sources: tuple[tuple[Source, float], ...]
    texts: tuple[str, ...]
    urgency: Urgency = Urgency.ROUTINE
    spots: tuple[Spot, ...] = ()
    planted: float = 0.0
    """The share that falls on ``spots``; the rest spreads over homes and streets."""
    close_hours: float = 30.0


_110 = ((Source.P110, 0.9), (Source.HOTLINE, 0.1))
_CASE = ((Source.P110, 0.92), (Source.SUPERIOR, 0.08))
_WALK = (
    (Source.PATROL, 0.5), (Source.STEWARD, 0.25), (Source.WECHAT, 0.12),
    (Source.H12345, 0.08), (Source.DEVICE, 0.05),
)  # fmt: skip
_ASK = (
    (Source.HOTLINE, 0.36), (Source.WECHAT, 0.32), (Source.H12345, 0.24), (Source.STEWARD, 0.08),
)  # fmt: skip
_PEACE = (
    (Source.HOTLINE, 0.4),
    (Source.STEWARD, 0.3),
    (Source.WECHAT, 0.2),
    (Source.SUPERIOR, 0.1),
)

DANCING = (
    Spot(0.30, place="铸钢广场", spread_m=22),
    Spot(0.24, GARDEN, 5),
    Spot(0.20, GARDEN, 2),
    Spot(0.12, GARDEN, 4),
    Spot(0.08, GARDEN, 12),
    Spot(0.06, GARDEN, 9),
)
TOWER = (Spot(0.8, GARDEN, 13), Spot(0.2, GARDEN, 13, spread_m=16))
FIRE_LANE = (Spot(0.6, place="印象西区消防通道", spread_m=10), Spot(0.4, IMPRESSION, 5))
BIKES = (Spot(0.7, place="花园滨江非机动车库", spread_m=8), Spot(0.3, WORKS, 6))
MARKET = (Spot(1.0, place="农贸市场门口", spread_m=15),)
OLD_WORKS = (Spot(1.0, place="铸造车间闲置厂房", spread_m=20),)
RIVER = (Spot(0.6, place="滨江步道亲水平台", spread_m=30), Spot(0.4, place="铸钢学校门口"))

_C = IncidentClass
KINDS: tuple[Kind, ...] = (
    Kind(_C.POLICE_CALL, "噪音扰民", 132, 104, EVENING, SUMMER, WEEKEND, _110,
         ("广场舞音响声音大，影响老人小孩休息", "楼下跳舞放音乐，请求降低音量", "邻居深夜唱歌喧哗"),
         spots=DANCING, planted=0.68, close_hours=3),
    Kind(_C.POLICE_CALL, "邻里纠纷", 61, 47, AFTER_WORK, LEVEL, WEEKEND, _110,
         ("楼道堆物引发争吵", "楼上漏水双方争执", "因停车位发生口角"), close_hours=5),
    Kind(_C.POLICE_CALL, "家庭纠纷", 48, 40, AFTER_WORK, LEVEL, WEEKEND, _110,
         ("夫妻争吵，邻居报警", "家庭成员因琐事争执"), Urgency.MAJOR, close_hours=6),
    Kind(_C.POLICE_CALL, "车辆纠纷", 52, 41, RUSH, LEVEL, WORKWEEK, _110,
         ("车辆被堵无法驶出，请求联系挪车", "小区内车辆剐蹭"), close_hours=2),
    Kind(_C.POLICE_CALL, "高空抛物", 34, 29, AFTER_WORK, SUMMER, EVERY_DAY, _110,
         ("楼上抛下垃圾袋，险些砸到行人", "高楼扔下酒瓶砸坏车辆", "空中抛下烟头引燃晾晒衣物"),
         Urgency.EMERGENCY, TOWER, 0.72, 26),
    Kind(_C.POLICE_CALL, "电信诈骗", 30, 22, DAY, LEVEL, WORKWEEK, _110,
         ("接到冒充客服电话被骗", "刷单返利被骗"), Urgency.MAJOR, close_hours=120),
    Kind(_C.POLICE_CALL, "走失求助", 24, 20, DAY, LEVEL, EVERY_DAY, _110,
         ("老人外出未归，请求协助寻找", "儿童与家长走散"), Urgency.EMERGENCY, RIVER, 0.45, 5),
    Kind(_C.POLICE_CALL, "消费纠纷", 22, 16, DAY, LEVEL, WEEKEND, _110,
         ("买菜缺斤少两引发争执", "退货未果发生争吵"), spots=MARKET, planted=0.75, close_hours=4),
    Kind(_C.POLICE_CALL, "群众求助", 30, 19, AFTER_WORK, LEVEL, EVERY_DAY, _110,
         ("忘带钥匙请求帮助", "电梯困人请求协助"), close_hours=2),
    Kind(_C.SECURITY_CASE, "盗窃电动车", 19, 14, NIGHT, WINTER, EVERY_DAY, _CASE,
         ("停放的电动车电瓶被盗", "电动车被盗"), Urgency.MAJOR, BIKES, 0.58, 400),
    Kind(_C.SECURITY_CASE, "殴打他人", 12, 10, AFTER_WORK, SUMMER, WEEKEND, _CASE,
         ("酒后发生肢体冲突", "因口角动手"), Urgency.EMERGENCY, close_hours=300),
    Kind(_C.SECURITY_CASE, "赌博", 8, 6, EVENING, WINTER, WEEKEND, _CASE,
         ("群众举报聚众打牌赌博",), Urgency.MAJOR, OLD_WORKS, 0.6, 260),
    Kind(_C.SECURITY_CASE, "故意损毁财物", 8, 6, NIGHT, LEVEL, EVERY_DAY, _CASE,
         ("车辆被划", "单元门玻璃被砸"), Urgency.MAJOR, close_hours=320),
    Kind(_C.SECURITY_CASE, "扰乱公共秩序", 6, 5, EVENING, SUMMER, WEEKEND, _CASE,
         ("酒后在公共场所滋事",), Urgency.EMERGENCY, DANCING, 0.5, 200),
    Kind(_C.HAZARD, "占用消防通道", 64, 70, AFTER_WORK, LEVEL, EVERY_DAY, _WALK,
         ("车辆停在消防通道上", "消防通道被杂物和车辆占用"), Urgency.MAJOR, FIRE_LANE, 0.62, 20),
    Kind(_C.HAZARD, "飞线充电", 52, 50, AFTER_WORK, SUMMER, EVERY_DAY, _WALK,
         ("从窗户拉线给电动车充电", "楼道内电动车充电"), Urgency.MAJOR, close_hours=24),
    Kind(_C.HAZARD, "堆放杂物", 38, 44, DAY, LEVEL, WORKWEEK, _WALK,
         ("楼道堆放纸板易燃物", "架空层堆放废旧家具"), close_hours=50),
    Kind(_C.HAZARD, "消防设施损坏", 20, 22, DAY, WINTER, WORKWEEK, _WALK,
         ("灭火器过期", "消火栓箱门损坏"), Urgency.MAJOR, close_hours=90),
    Kind(_C.HAZARD, "路灯不亮", 22, 26, EVENING, WINTER, EVERY_DAY, _WALK,
         ("路灯不亮，夜间出行不便",), close_hours=70),
    Kind(_C.HAZARD, "井盖破损", 18, 24, DAY, SUMMER, WORKWEEK, _WALK,
         ("井盖松动，行人易绊倒", "井盖破损未设警示"), Urgency.MAJOR, close_hours=40),
    Kind(_C.REQUEST, "噪音扰民", 86, 70, EVENING, SUMMER, WEEKEND, _ASK,
         ("希望规范广场舞时间和音量", "装修噪音影响休息"), spots=DANCING, planted=0.7, close_hours=30),
    Kind(_C.REQUEST, "环境卫生", 92, 96, DAY, SUMMER, WORKWEEK, _ASK,
         ("垃圾清运不及时，有异味", "绿化带有宠物粪便"), close_hours=36),
    Kind(_C.REQUEST, "停车难", 78, 88, RUSH, LEVEL, WORKWEEK, _ASK,
         ("小区车位不足，希望增设", "外来车辆占用车位"), close_hours=90),
    Kind(_C.REQUEST, "水电维修", 84, 90, DAY, WINTER, WORKWEEK, _ASK,
         ("楼道水管漏水", "单元门禁失灵", "停水未接到通知"), close_hours=30),
    Kind(_C.REQUEST, "高空抛物", 26, 24, AFTER_WORK, SUMMER, EVERY_DAY, _ASK,
         ("希望加装防高空抛物摄像装置", "楼上经常扔烟头垃圾"), Urgency.MAJOR, TOWER, 0.6, 60),
    Kind(_C.REQUEST, "电梯故障", 38, 44, RUSH, SUMMER, EVERY_DAY, _ASK,
         ("电梯运行异响", "电梯停运，老人出行困难"), Urgency.MAJOR, close_hours=26),
    Kind(_C.REQUEST, "树枝修剪", 28, 34, DAY, SUMMER, WORKWEEK, _ASK,
         ("树枝遮挡窗户采光",), close_hours=110),
    Kind(_C.REQUEST, "政策咨询", 56, 66, DAY, LEVEL, WORKWEEK, _ASK,
         ("咨询公租房续租手续", "咨询高龄津贴申领"), close_hours=12),
    Kind(_C.DISPUTE, "邻里纠纷", 74, 62, AFTER_WORK, LEVEL, WEEKEND, _PEACE,
         ("楼上楼下因噪音积怨", "公共楼道使用争议"), close_hours=120),
    Kind(_C.DISPUTE, "物业纠纷", 46, 40, DAY, LEVEL, WORKWEEK, _PEACE,
         ("对物业收费有异议", "物业维修责任争议"), close_hours=200),
    Kind(_C.DISPUTE, "婚姻家庭", 32, 30, AFTER_WORK, WINTER, WEEKEND, _PEACE,
         ("家庭赡养争议", "夫妻矛盾请求调解"), Urgency.MAJOR, close_hours=200),
    Kind(_C.DISPUTE, "劳资纠纷", 14, 12, DAY, WINTER, WORKWEEK, _PEACE,
         ("工资结算争议",), Urgency.MAJOR, MARKET, 0.4, 240),
    Kind(_C.DISPUTE, "漏水损害", 22, 20, DAY, SUMMER, WORKWEEK, _PEACE,
         ("楼上漏水泡坏天花板，赔偿未谈拢",), close_hours=160),
)  # fmt: skip

PREFIX = {
    Source.HOTLINE: "RX",
    Source.WECHAT: "WX",
    Source.H12345: "12345-",
    Source.P110: "JQ",
    Source.SUPERIOR: "SJ",
    Source.PATROL: "XL",
    Source.STEWARD: "GJ",
    Source.DEVICE: "SB",
}

REPORT_DELAY_MIN = {
    Source.P110: (1, 20),
    Source.PATROL: (0, 5),
    Source.DEVICE: (0, 1),
    Source.STEWARD: (5, 120),
}


@dataclass(frozen=True, slots=True)
class SampleIncident:
    """One incident as drawn; ``building`` is the key of the building its address names."""

    source: Source
    ticket_number: str
    incident_class: IncidentClass
    category: str
    urgency: Urgency
    state: IncidentState
    description: str
    address: str
    lon: float | None
    lat: float | None
    provenance: Provenance
    building: str | None
    occurred_at: datetime
    reported_at: datetime
    closed_at: datetime | None
    satisfied: bool | None = None


@dataclass(frozen=True, slots=True)
class SampleMediation:
    """A mediation case of the dispute with this (source, ticket number)."""

    number: str
    incident: tuple[Source, str]
    level: str
    opened_at: datetime
    settled: bool
    judicial_confirmation: bool


class _Drawing:
    """The state of one drawing: its dice, and who lives where."""

    def __init__(self, seed: int, ground: Ground, until: date) -> None:
        self.rng = random.Random(f"incidents {seed}")  # noqa: S311 - a drawing, no secret
        self.ground = ground
        self.end = datetime.combine(until, time(), LOCAL) - timedelta(minutes=1)
        self.homes = [b for b in ground.buildings if b.households]
        self.home_weights = [b.residents for b in self.homes]
        self.streets = [way for way in ground.walkways if way.name and way.length_m > 20]
        self.inside = ground.boundary.buffer(-INSET_M * DEGREES_PER_M[1])
        shapely.prepare(self.inside)
        self.street_weights = [way.length_m for way in self.streets]

    def days(self, kind: Kind, first: date, wanted: int) -> list[date]:
        days = [first + timedelta(n) for n in range(YEAR_DAYS)]
        weights = [kind.months[day.month - 1] * kind.weekdays[day.weekday()] for day in days]
        return self.rng.choices(days, weights, k=wanted)

    def moment(self, kind: Kind, day: date) -> datetime:
        hour = self.rng.choices(range(24), kind.hours)[0]
        return datetime.combine(day, time(hour, self.rng.randrange(60)), LOCAL)

    def near(self, lon: float, lat: float, spread_m: float) -> tuple[float, float]:
        """Return a point scattered about a place, inside the community."""
        for _ in range(20):
            east = round(lon + self.rng.gauss(0, spread_m) * DEGREES_PER_M[0], 7)
            north = round(lat + self.rng.gauss(0, spread_m) * DEGREES_PER_M[1], 7)
            if shapely.contains_xy(self.inside, east, north):
                return east, north
        nearest, _ = nearest_points(self.inside, Point(lon, lat))
        return round(nearest.x, 7), round(nearest.y, 7)

    def at_building(self, home: SampleBuilding, spread_m: float | None) -> dict[str, object]:
        unit = f"{self.rng.randrange(home.units) + 1}单元" if home.units > 1 else ""
        address = f"{home.estate}{home.number}栋{unit}"
        point = home.shape.representative_point()
        lon, lat = round(point.x, 7), round(point.y, 7)
        if spread_m is None:
            return {
                "address": address, "lon": lon, "lat": lat, "provenance": Provenance.ADDRESS,
                "building": home.key,
            }  # fmt: skip
        lon, lat = self.near(lon, lat, spread_m)
        return {
            "address": f"{home.estate}{home.number}栋附近", "lon": lon, "lat": lat,
            "provenance": Provenance.GIVEN, "building": None,
        }  # fmt: skip

    def on_spot(self, spot: Spot) -> dict[str, object]:
        if spot.place is None:
            home = self.ground.building(spot.estate or "", spot.number)
            return self.at_building(home, spot.spread_m)
        place = self.ground.place(spot.place)
        lon, lat = self.near(place.shape.x, place.shape.y, spot.spread_m or 18.0)
        return {
            "address": spot.place, "lon": lon, "lat": lat, "provenance": Provenance.GIVEN,
            "building": None,
        }  # fmt: skip

    def anywhere(self) -> dict[str, object]:
        throw = self.rng.random()
        if throw < 0.74:
            home = self.rng.choices(self.homes, self.home_weights)[0]
            return self.at_building(home, None if throw < 0.6 else 12.0)
        if throw < 0.98:
            way = self.rng.choices(self.streets, self.street_weights)[0]
            point = way.shape.interpolate(self.rng.random(), normalized=True)
            lon, lat = self.near(point.x, point.y, 3.0)
            return {
                "address": way.name, "lon": lon, "lat": lat, "provenance": Provenance.GIVEN,
                "building": None,
            }  # fmt: skip
        return {
            "address": "社区内，位置不详", "lon": None, "lat": None,
            "provenance": Provenance.NONE, "building": None,
        }  # fmt: skip

    def ending(self, kind: Kind, reported: datetime) -> tuple[IncidentState, datetime | None]:
        """Draw how far it got: old ones are closed, some of the newest are still on the way."""
        took = timedelta(hours=max(0.3, kind.close_hours * self.rng.lognormvariate(-0.1, 0.5)))
        if self.rng.random() < LINGERING:
            took *= 8
        closed = (reported + took).replace(second=0, microsecond=0)
        if closed <= self.end:
            return IncidentState.CLOSED, closed
        on_the_way = (self.end - reported) / took
        states = list(IncidentState)[:5]
        return states[min(4, int(on_the_way * 5))], None

    def one(self, kind: Kind, day: date) -> SampleIncident:
        occurred = self.moment(kind, day)
        source = self.rng.choices(*zip(*kind.sources, strict=True))[0]
        low, high = REPORT_DELAY_MIN.get(source, (10, 480))
        reported = min(occurred + timedelta(minutes=self.rng.randint(low, high)), self.end)
        spot = (
            self.rng.choices(kind.spots, [spot.weight for spot in kind.spots])[0]
            if kind.spots and self.rng.random() < kind.planted
            else None
        )
        place = self.on_spot(spot) if spot else self.anywhere()
        state, closed = self.ending(kind, reported)
        return SampleIncident(
            source=source,
            ticket_number="",
            incident_class=kind.incident_class,
            category=kind.category,
            urgency=kind.urgency,
            state=state,
            description=self.rng.choice(kind.texts),
            occurred_at=occurred,
            reported_at=reported,
            closed_at=closed,
            **place,  # type: ignore[arg-type]
        )


def periods(until: date) -> dict[str, tuple[date, date]]:
    """Return first and last day of the year ``before`` and the ``last`` year."""
    last = until - timedelta(YEAR_DAYS)
    before = last - timedelta(YEAR_DAYS)
    return {"before": (before, last - timedelta(1)), "last": (last, until - timedelta(1))}


def _numbered(incidents: list[SampleIncident]) -> list[SampleIncident]:
    """Give ticket numbers in order of report, counted per source and calendar year."""
    counts: Counter[tuple[Source, int]] = Counter()
    numbered = []
    for incident in sorted(incidents, key=lambda i: (i.reported_at, i.category, i.address)):
        year = incident.reported_at.year
        counts[incident.source, year] += 1
        ticket = f"{PREFIX[incident.source]}{year}{counts[incident.source, year]:05d}"
        numbered.append(replace(incident, ticket_number=ticket))
    return numbered


def draw_incidents(seed: int, ground: Ground, until: date) -> list[SampleIncident]:
    """Draw two years of incidents ending before ``until``, in order of report."""
    drawing = _Drawing(seed, ground, until)
    drawn: list[SampleIncident] = []
    spans = periods(until)
    for kind in KINDS:
        for year, wanted in (("before", kind.before), ("last", kind.last)):
            days = drawing.days(kind, spans[year][0], wanted)
            drawn += [drawing.one(kind, day) for day in days]
    incidents = _numbered(drawn)

    for year, (asked, satisfied) in CALLBACKS.items():
        first, last = spans[year]
        closed = [
            n
            for n, incident in enumerate(incidents)
            if incident.closed_at is not None
            and first <= incident.occurred_at.date() <= last
            and incident.incident_class is not IncidentClass.SECURITY_CASE
            and incident.source not in {Source.PATROL, Source.DEVICE}
        ]
        called = drawing.rng.sample(closed, asked)
        for position, n in enumerate(called):
            incidents[n] = replace(incidents[n], satisfied=position < satisfied)
    return incidents


def draw_mediations(
    seed: int, incidents: list[SampleIncident], until: date
) -> list[SampleMediation]:
    """Draw the mediation cases of two years of disputes, and which were confirmed in court."""
    rng = random.Random(f"mediations {seed}")  # noqa: S311 - a drawing, no secret
    end = datetime.combine(until, time(), LOCAL)
    disputes = [
        i
        for i in incidents
        if i.incident_class is IncidentClass.DISPUTE and i.reported_at < end - timedelta(days=4)
    ]
    chosen = sorted(
        rng.sample(disputes, MEDIATIONS), key=lambda i: (i.reported_at, i.ticket_number)
    )
    levels = ("grid_mediator", "committee", "mediation_room", "judge_studio")
    cases = []
    for n, incident in enumerate(chosen, start=1):
        opened = incident.reported_at + timedelta(hours=rng.randint(2, 90))
        cases.append(
            SampleMediation(
                number=f"TJ{opened.year}{n:04d}",
                incident=(incident.source, incident.ticket_number),
                level=rng.choices(levels, (0.52, 0.27, 0.14, 0.07))[0],
                opened_at=opened,
                settled=incident.closed_at is not None and rng.random() < 0.96,
                judicial_confirmation=False,
            )
        )
    formal = [n for n, case in enumerate(cases) if case.settled and case.level != levels[0]]
    for n in rng.sample(formal, JUDICIAL_CONFIRMATIONS):
        cases[n] = replace(cases[n], judicial_confirmation=True)
    return cases
