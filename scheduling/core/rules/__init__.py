"""The rule catalogue: every hard rule and every wish. A new rule is one file and one line here."""

from scheduling.core.rules.absence import DayOff, Leave, Unavailable
from scheduling.core.rules.changes import FewestChanges
from scheduling.core.rules.cover import IdealCover, MinimumCover
from scheduling.core.rules.estate import OwnEstate
from scheduling.core.rules.fairness import EqualLoad
from scheduling.core.rules.home_zone import HomeZone
from scheduling.core.rules.legal_power import NeverAlone, OfficerLeads
from scheduling.core.rules.lock import KeepLocks
from scheduling.core.rules.one_patrol import OnePatrol
from scheduling.core.rules.requests import Requests
from scheduling.core.rules.requirement import Requirements
from scheduling.core.rules.rest import Rest
from scheduling.core.rules.rule import Rule, Stop, Wish
from scheduling.core.rules.run_of_days import RunOfDays
from scheduling.core.rules.seat import SeatForce
from scheduling.core.rules.staggering import GapBound, SameStart
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
    WeeklyNights(),
    WeeklyPatrols(),
    WeeklyMinutes(),
    RunOfDays(),
    NeverAlone(),
    WholeTeam(),
)
"""In the order in which a person is told why: the first that stops is the one named."""

WISHES: tuple[Wish, ...] = (
    KeepLocks(),
    MinimumCover(),
    Requirements(),
    IdealCover(),
    GapBound(),
    SameStart(),
    FewestChanges(),
    EqualLoad(),
    HomeZone(),
    Requests(),
)

__all__ = ["HARD", "WISHES", "Rule", "Stop", "Wish"]
