"""VROOM, OR-Tools routing and plain PyVRP on the same file and clock, scored by the same scorer."""

import json
import subprocess
from pathlib import Path

from bench.data import ROOT
from bench.peers.environment import PeerMissing, peers_python
from bench.route_known import best_known
from bench.route_measure import gap_of
from bench.route_score import score_tours

PEERS = ("pyvrp", "vroom", "ortools")


def run_peers(file: Path, out: Path, seconds: float, seed: int) -> dict[str, object]:
    """Return what each peer collects, or why it could not run."""
    try:
        python = peers_python()
    except PeerMissing as missing:
        return {peer: {"note": str(missing)} for peer in PEERS}
    found: dict[str, object] = {}
    for peer in PEERS:
        tours = out / f"{peer}-{file.stem}.tour"
        command = [str(python), "-m", f"bench.peers.route_{peer}", str(file.resolve())]
        command += ["--out", str(tours.resolve()), "--seconds", str(seconds), "--seed", str(seed)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode or not tours.exists():
            found[peer] = {"note": (done.stderr.strip().splitlines() or ["no answer"])[-1]}
            continue
        told = json.loads(done.stdout.strip().splitlines()[-1])
        score = score_tours(file, tours)
        found[peer] = {
            "score": score.score,
            "gap": gap_of(score.score, best_known(file)),
            "seconds": told["seconds"],
            "violations": len(score.violations),
        }
    return found
