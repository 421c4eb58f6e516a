"""The JSON Schemas of problems, plans and reports, generated from the dataclasses themselves.

``python -m scheduling.core.schema`` writes them into ``docs/schemas/``; a test holds them there.
"""

import json
from pathlib import Path

from pydantic import TypeAdapter

from scheduling.core.check import Report
from scheduling.core.plan import RosterPlan
from scheduling.core.problem import RosterProblem
from scheduling.core.route import RoutePlan, RouteProblem
from scheduling.core.routes.coverage import CoveragePlan, CoverageProblem

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "schemas"


def schemas() -> dict[str, str]:
    """Return each schema's file name and text (JSON Schema 2020-12)."""
    found = {}
    for name, kind in (
        ("roster-problem", RosterProblem),
        ("roster-plan", RosterPlan),
        ("roster-report", Report),
        ("route-problem", RouteProblem),
        ("route-plan", RoutePlan),
        ("coverage-problem", CoverageProblem),
        ("coverage-plan", CoveragePlan),
    ):
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **TypeAdapter(kind).json_schema(),
        }
        found[f"{name}.schema.json"] = json.dumps(schema, ensure_ascii=False, indent=1) + "\n"
    return found


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
