"""What every peer's command takes, and the one line it prints when its time is up."""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.score import Score


@dataclass
class Trial:
    """One run of one peer on one file, timed from when its command line is read."""

    engine: str
    file: Path
    seconds: float
    seed: int
    workers: int
    out: Path
    started: float = field(default_factory=time.monotonic)
    to_best: float | None = None
    to_first_full_cover: float | None = None

    def elapsed(self) -> float:
        """Return the seconds since the command began."""
        return time.monotonic() - self.started

    def restart(self) -> None:
        """Start the clock anew, for a peer whose platform must first be started."""
        self.started = time.monotonic()

    def improved(self, *, full_cover: bool) -> None:
        """Note a better plan just found, and whether it leaves no seat empty."""
        self.to_best = self.elapsed()
        if full_cover and self.to_first_full_cover is None:
            self.to_first_full_cover = self.to_best

    def line(self, score: Score | None, bound: float | None = None, **more: str) -> str:
        """Return the run as one line of JSON; the cost is the scorer's, never the peer's own word.

        Without a score, the peer found no plan at all and every figure of it is null.
        """
        cost = score.cost if score else None
        # No cost is below 0; a solver's bound can be, and says nothing then.
        proven = max(0.0, bound) if bound is not None else None
        found: dict[str, Any] = {
            "engine": self.engine,
            "instance": self.file.stem,
            "cost": cost,
            "bound": bound,
            "gap": round((cost - proven) / cost, 4) if cost and proven is not None else None,
            "violations": len(score.violations) if score else None,
            "parts": score.parts if score else None,
            "seconds": round(self.elapsed(), 2),
            "seconds_to_first_full_cover": _rounded(self.to_first_full_cover),
            "seconds_to_best": _rounded(self.to_best),
            "seed": self.seed,
            "workers": self.workers,
            **more,
        }
        if score and score.violations:
            found["broken"] = score.violations[:10]
        return json.dumps(found, ensure_ascii=False)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def trial(engine: str, arguments: Sequence[str] | None = None) -> Trial:
    """Read a peer's command line."""
    parser = argparse.ArgumentParser(prog=engine)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    if not asked.file.is_file():
        parser.error(f"there is no file {asked.file}")
    return Trial(engine, asked.file, asked.seconds, asked.seed, asked.workers, asked.out)
