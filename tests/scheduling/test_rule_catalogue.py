"""The catalogue is what the code is: every rule named, said, given its parameters, and tested."""

import ast
from dataclasses import fields
from pathlib import Path

from scheduling.core import contract, house_rules, problem
from scheduling.core.plan import LEVELS
from scheduling.core.rules import HARD, WISHES
from scheduling.core.rules.catalogue import PAGE, page, tables
from scheduling.core.rules.rule import Rule, Wish

ALL = (*HARD, *WISHES)
FOLDER = PAGE.parents[1] / "scheduling" / "core"
KINDS = {
    name: kind
    for module in (problem, contract, house_rules)
    for name, kind in vars(module).items()
    if hasattr(kind, "__dataclass_fields__")
}


def test_the_page_is_the_codes_own():
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run python -m scheduling.core.rules.catalogue"
    assert all(f"| `{rule.key}` |" in text for rule in ALL)


def test_every_rule_has_a_name_of_its_own_and_says_itself_in_two_languages():
    assert len({rule.key for rule in ALL}) == len(ALL)
    for rule in ALL:
        zh, en = rule.says
        assert any("一" <= c <= "鿿" for c in zh), rule.key
        assert en.isascii() and len(en) > 10, rule.key
        assert "|" not in zh + en, rule.key
    for rule in HARD:
        assert all(rule.counts_as), rule.key
    assert {wish.level for wish in WISHES} == set(LEVELS)


def test_every_parameter_is_a_field_of_the_problem():
    for rule in ALL:
        assert rule.parameters, rule.key
        for parameter in rule.parameters:
            kind, field = parameter.split(".")
            assert field in {f.name for f in fields(KINDS[kind])}, (rule.key, parameter)


def test_every_limit_and_house_rule_belongs_to_a_rule():
    named = {parameter for rule in ALL for parameter in rule.parameters}
    for kind in ("Limits", "RollingLimit", "Staggering", "Shares", "Law"):
        for field in fields(KINDS[kind]):
            assert f"{kind}.{field.name}" in named, f"{kind}.{field.name} is asked for by no rule"


def test_every_file_of_rules_is_registered():
    registered = {type(rule).__name__ for rule in ALL}
    defined = set()
    for path in (FOLDER / "rules").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                defined.add(node.name)
    assert defined - {"Count", "Stop", "Rule", "Wish"} == registered


def test_the_checker_knows_every_hard_rule_and_shares_no_code_with_any():
    said = ""
    for name in ("check.py", "check_house.py"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        said += text
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scheduling"):
                assert node.module in {
                    "scheduling.core.plan", "scheduling.core.problem", "scheduling.core.check_house",
                }, name  # fmt: skip
    for rule in HARD:
        assert f'"{rule.key}"' in said, f"the checker never says {rule.key}"


def test_a_rule_needs_nothing_but_its_own_faces():
    for rule in HARD:
        assert isinstance(rule, Rule)
        own = {name for kind in type(rule).__mro__[:-2] for name in vars(kind)}
        assert rule.static or "post" in own, f"{rule.key} is not in the model"
    for wish in WISHES:
        assert isinstance(wish, Wish)
        own = {name for kind in type(wish).__mro__[:-2] for name in vars(kind)}
        assert {"terms", "cost"} <= own, wish.key


def test_the_tables_have_a_row_for_each():
    assert sum(line.startswith("| `") for line in tables().splitlines()) == len(ALL)
    assert Path(PAGE).name == "rules.zh-CN.md"
