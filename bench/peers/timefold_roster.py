"""Timefold on a Curtois & Qu instance: its Python edition, constraint streams, its default search.

The makers of Timefold halted the Python edition in July 2025 and say themselves that it is slower
than Java; it is the edition a Python team can install. Its open edition searches on one thread.

    python -m bench.peers.timefold_roster FILE --seconds S --seed N --workers 2 --out roster.csv

The clock runs from the start of the search: starting Java and translating the constraints is not
counted against it.
"""

import sys

from bench.peers.environment import PeerMissing, has, require_java, run_with_peers
from bench.peers.shift_file import read_shift_file, write_roster
from bench.peers.trial import trial
from bench.score import score_roster


def main() -> int:
    """Solve one file, write its roster and print its line."""
    if not has("timefold"):
        try:
            require_java()
            return run_with_peers("bench.peers.timefold_roster", sys.argv[1:])
        except PeerMissing as missing:
            print(missing, file=sys.stderr)
            return 2
    from bench.peers.timefold_roster_model import solve

    run = trial("timefold_roster")
    run.workers = 1
    write_roster(solve(read_shift_file(run.file), run), run.out)
    score = score_roster(run.file, run.out)
    print(
        run.line(score, note="Python edition, discontinued; one thread; Java's start not counted")
    )
    return 0 if score.legal else 1


if __name__ == "__main__":
    raise SystemExit(main())
