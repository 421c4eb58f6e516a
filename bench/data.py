"""Where the public instances lie, and which best values are known of them."""

import csv
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def bench_data() -> Path:
    """Return the folder of public instances: ``XUNGE_BENCH_DATA``, or the one beside the clone."""
    return Path(os.environ.get("XUNGE_BENCH_DATA") or ROOT.parent / "shared" / "bench")


def best_known(folder: Path) -> dict[str, int]:
    """Return the best published cost of each instance beside which a BEST_KNOWN.csv lies."""
    file = folder / "BEST_KNOWN.csv"
    if not file.exists():
        return {}
    with file.open(newline="") as rows:
        return {
            f"Instance{row['instance']}": int(row["best_known"]) for row in csv.DictReader(rows)
        }
