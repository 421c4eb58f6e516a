"""Incidents invented for a trial: two years with hours, seasons and hot places, marked as such.

Pure. Every description begins with :data:`MARK` and every ticket number with 试, so that none is
ever taken for a report. Three hot places are planted: noise about the square where most people
live near, objects thrown from the most populous tower, cars in a fire lane.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from grid.incidents import IncidentClass, Source, Urgency
from grid.sample.ledger import AFTER_WORK, DAY, EVENING, EVERY_DAY, LEVEL, NIGHT, SUMMER, WEEKEND

LOCAL = ZoneInfo("Asia/Shanghai")
MARK = "【试用虚构】"
YEAR_DAYS = 365
PER_THOUSAND_HOUSEHOLDS = 60
"""Incidents a year; the sample community has about as many."""
DECREASE = 0.8
"""The last year over the one before."""


@dataclass(frozen=True)
class Kind:
    """A category and its rhythm: what hours, months and weekdays it keeps, how often it comes."""

    incident_class: IncidentClass
    category: str
    share: float
    hours: Sequence[float]
    months: Sequence[float]
    weekdays: Sequence[float]
    source: Source
    text: str
    planted: int | None = None
    """Which hot place it gathers at, if any."""


KINDS = (
    Kind(IncidentClass.POLICE_CALL, "噪音扰民", 0.22, EVENING, SUMMER, WEEKEND, Source.P110,
         "广场舞音响声音大，影响休息。", planted=0),
    Kind(IncidentClass.POLICE_CALL, "高空抛物", 0.10, AFTER_WORK, LEVEL, WEEKEND, Source.P110,
         "楼上有物品抛下，未伤人。", planted=1),
    Kind(IncidentClass.HAZARD, "占用消防通道", 0.12, NIGHT, LEVEL, EVERY_DAY, Source.PATROL,
         "车辆停在消防通道上。", planted=2),
    Kind(IncidentClass.DISPUTE, "邻里纠纷", 0.14, AFTER_WORK, LEVEL, WEEKEND, Source.HOTLINE,
         "邻里因公共区域使用发生争执。"),
    Kind(IncidentClass.POLICE_CALL, "车辆纠纷", 0.14, AFTER_WORK, LEVEL, EVERY_DAY, Source.P110,
         "停车位置引起争执。"),
    Kind(IncidentClass.SECURITY_CASE, "盗窃电动车", 0.06, NIGHT, LEVEL, EVERY_DAY, Source.P110,
         "电动车电瓶被盗。"),
    Kind(IncidentClass.REQUEST, "水电维修", 0.14, DAY, LEVEL, EVERY_DAY, Source.WECHAT,
         "单元门禁失灵，希望维修。"),
    Kind(IncidentClass.HAZARD, "飞线充电", 0.08, NIGHT, LEVEL, EVERY_DAY, Source.STEWARD,
         "电动车在楼道内充电。"),
)  # fmt: skip
PLANTED_SHARE = 0.6


@dataclass(frozen=True)
class Home:
    """A building where incidents may fall: its key, a point in it (WGS 84), its households."""

    key: str
    label: str
    lon: float
    lat: float
    households: int


@dataclass(frozen=True)
class TrialIncident:
    """One invented incident; ``building`` is a home's key, or None on the open ground."""

    source: Source
    ticket_number: str
    incident_class: IncidentClass
    category: str
    urgency: Urgency
    description: str
    address: str
    lon: float
    lat: float
    building: str | None
    occurred_at: datetime
    reported_at: datetime
    closed_at: datetime


def invent_incidents(
    homes: Sequence[Home], square: tuple[float, float], until: date, *, seed: int
) -> list[TrialIncident]:
    """Return two years of invented incidents before ``until``, in order of time.

    ``square`` is the lon, lat where people gather. The same arguments give the same incidents.
    """
    lived_in = [home for home in homes if home.households > 0]
    if not lived_in:
        return []
    dice = random.Random(f"trial {seed}")  # noqa: S311 - a drawing, no secret
    weights = [home.households for home in lived_in]
    ranked = sorted(lived_in, key=lambda home: (-home.households, home.key))
    yearly = max(60, PER_THOUSAND_HOUSEHOLDS * sum(weights) // 1000)
    drawn = []
    for year, total in ((2, yearly), (1, round(yearly * DECREASE))):
        first = until - timedelta(days=year * YEAR_DAYS)
        for kind in KINDS:
            days = [first + timedelta(days=n) for n in range(YEAR_DAYS)]
            chances = [kind.months[d.month - 1] * kind.weekdays[d.weekday()] for d in days]
            for day in dice.choices(days, chances, k=round(total * kind.share)):
                drawn.append(_one(dice, kind, day, lived_in, weights, ranked, square))
    drawn.sort(key=lambda one: (one[0], one[1].category, one[2]))
    return [
        _written(number, occurred, kind, address, lon, lat, building, dice)
        for number, (occurred, kind, address, lon, lat, building) in enumerate(drawn, start=1)
    ]


_Drawn = tuple[datetime, Kind, str, float, float, str | None]


def _one(
    dice: random.Random,
    kind: Kind,
    day: date,
    homes: Sequence[Home],
    weights: Sequence[int],
    ranked: Sequence[Home],
    square: tuple[float, float],
) -> _Drawn:
    hour = dice.choices(range(24), kind.hours)[0]
    occurred = datetime.combine(day, time(hour, dice.randrange(60)), LOCAL)
    if kind.planted is not None and dice.random() < PLANTED_SHARE:
        if kind.planted == 0:
            lon = square[0] + dice.gauss(0, 15) * 1.04e-5
            lat = square[1] + dice.gauss(0, 15) * 9.02e-6
            return occurred, kind, "小广场", round(lon, 7), round(lat, 7), None
        home = ranked[min(kind.planted - 1, len(ranked) - 1)]
    else:
        home = dice.choices(homes, weights)[0]
    return occurred, kind, home.label, home.lon, home.lat, home.key


def _written(
    number: int,
    occurred: datetime,
    kind: Kind,
    address: str,
    lon: float,
    lat: float,
    building: str | None,
    dice: random.Random,
) -> TrialIncident:
    reported = occurred + timedelta(minutes=dice.randint(2, 40))
    return TrialIncident(
        source=kind.source,
        ticket_number=f"试{number:06d}",
        incident_class=kind.incident_class,
        category=kind.category,
        urgency=Urgency.ROUTINE,
        description=MARK + kind.text,
        address=address,
        lon=lon,
        lat=lat,
        building=building,
        occurred_at=occurred,
        reported_at=reported,
        closed_at=reported + timedelta(hours=dice.randint(2, 60)),
    )
