"""Locks: an assignment that somebody fixed stays, unless a law stands against it."""

from typing import TYPE_CHECKING

from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Wish

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class KeepLocks(Wish):
    """保留锁定的派班: each one that cannot stay costs 1, before everything else."""

    key = "locks"
    level = "locks"
    parameters = ("RosterProblem.locks",)
    says = (
        "锁定的派班保持不变；每个保不住的计 1",
        "a locked assignment stays; each that cannot costs 1",
    )

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        found: list[Term] = []
        for lock in model.problem.locks:
            var = model.seat[model.agenda.by_key[lock.patrol].index, lock.seat].get(lock.member)
            found.append((1, 1))
            if var is not None:
                found.append((-1, var))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        return sum(
            roll.seated.get((roll.agenda.by_key[lock.patrol].index, lock.seat)) != lock.member
            for lock in roll.problem.locks
        )
