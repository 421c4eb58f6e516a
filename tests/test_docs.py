"""The documents tell the truth: commands and files that they name are there."""

import re
from pathlib import Path

import pytest
import typer

from api.cli import build

REPO = Path(__file__).resolve().parent.parent
OWN = {"test", "check", "lock", "bench"}
"""Commands of the launcher itself, that the product's own command line knows nothing of."""


def commands() -> set[str]:
    tree = typer.main.get_command(build())
    return set(tree.commands) | OWN  # type: ignore[attr-defined]


@pytest.mark.parametrize("document", ["README.md", "README.zh-CN.md", "docs/handbook.zh-CN.md"])
def test_every_command_a_document_names_exists(document):
    text = (REPO / document).read_text("utf-8")
    named = set(re.findall(r"\./xunge ([a-z]+)", text))
    assert named
    assert named - commands() == set()


def test_every_command_is_in_both_readmes():
    for document in ("README.md", "README.zh-CN.md"):
        text = (REPO / document).read_text("utf-8")
        missing = {name for name in commands() if not re.search(rf"[`/ ]{name}\b", text)}
        assert missing == set(), document


def test_every_top_level_name_has_its_reason_in_the_map():
    text = (REPO / "README.md").read_text("utf-8")
    ignored = {".git", ".gitignore", ".venv", "out", "README.md", "README.zh-CN.md", ".setup-lock"}
    names = {path.name for path in REPO.iterdir()} - ignored
    unexplained = {
        name
        for name in names
        if not name.endswith("_cache")
        and name not in {".hypothesis", ".coverage", "htmlcov"}
        and f"`{name}" not in text
        and name != ".ci"
    }
    assert unexplained - {"__pycache__"} == set()


def test_links_between_documents_lead_somewhere():
    for document in REPO.glob("**/*.md"):
        if ".venv" in document.parts or "node_modules" in document.parts:
            continue
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"
