"""The rule catalogue: every hard rule and every wish. A new rule is one file and one line here."""

from scheduling.core.rules.absence import DayOff, Leave, Unavailable
from scheduling.core.rules.bands import BandCover
from scheduling.core.rules.changes import FewestChanges
from scheduling.core.rules.cover import IdealCover, MinimumCover
from scheduling.core.rules.daily import DailyMinutes, DailyPatrols, LeastDaily
from scheduling.core.rules.estate import OwnEstate
from scheduling.core.rules.fairness import EqualLoad
from scheduling.core.rules.familiar import FamiliarTeam
from scheduling.core.rules.home_zone import HomeZone
from scheduling.core.rules.least_work import LeastMinutes, LeastPatrols
from scheduling.core.rules.legal_power import NeverAlone, OfficerLeads
from scheduling.core.rules.lock import KeepLocks
from scheduling.core.rules.one_patrol import OnePatrol
from scheduling.core.rules.pairs import Apart, Together
from scheduling.core.rules.requests import Requests
from scheduling.core.rules.requirement import Requirements
from scheduling.core.rules.rest import Rest
from scheduling.core.rules.rhythm import LeastOff, LeastRun, MostOff
from scheduling.core.rules.rolling import RollingMinutes
from scheduling.core.rules.rotation import ZoneRotation
from scheduling.core.rules.rule import Rule, Stop, Wish
from scheduling.core.rules.run_of_days import RunOfDays
from scheduling.core.rules.seat import SeatForce
from scheduling.core.rules.shares import EqualShares
from scheduling.core.rules.staggering import GapBound, SameStart
from scheduling.core.rules.succession import ForbiddenSuccession, OnlyAfter
from scheduling.core.rules.weekends import CompleteWeekends, WeekendsInARow, WeekendsInFour
from scheduling.core.rules.weekly import WeeklyMinutes, WeeklyNights, WeeklyPatrols
from scheduling.core.rules.whole_team import WholeTeam

HARD: tuple[Rule, ...] = (
    SeatForce(),
    OfficerLeads(),
    Leave(),
    DayOff(),
    OwnEstate(),
    Unavailable(),
    OnePatrol(),
    Rest(),
    ForbiddenSuccession(),
    DailyMinutes(),
    DailyPatrols(),
    WeeklyNights(),
    WeeklyPatrols(),
    WeeklyMinutes(),
    RollingMinutes(),
    WeekendsInFour(),
    WeekendsInARow(),
    RunOfDays(),
    ZoneRotation(),
    Apart(),
    Together(),
    NeverAlone(),
    FamiliarTeam(),
    WholeTeam(),
)
"""In the order in which a person is told why: the first that stops is the one named."""

WISHES: tuple[Wish, ...] = (
    KeepLocks(),
    MinimumCover(),
    Requirements(),
    IdealCover(),
    BandCover(),
    GapBound(),
    SameStart(),
    FewestChanges(),
    EqualLoad(),
    EqualShares(),
    LeastMinutes(),
    LeastPatrols(),
    LeastDaily(),
    LeastRun(),
    LeastOff(),
    MostOff(),
    CompleteWeekends(),
    OnlyAfter(),
    HomeZone(),
    Requests(),
)

__all__ = ["HARD", "WISHES", "Rule", "Stop", "Wish"]
