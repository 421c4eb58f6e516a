"""The rule catalogue as a page for people, written from the rules themselves.

``python -m scheduling.core.rules.catalogue`` writes the tables of docs/rules.zh-CN.md; a test
holds them there.
"""

from pathlib import Path

from scheduling.core.plan import LEVELS, Level
from scheduling.core.rules import HARD, WISHES, Rule, Wish

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rules.zh-CN.md"
BEGIN = "<!-- 以下表格由 python -m scheduling.core.rules.catalogue 写成，请勿手改 -->"
END = "<!-- 表格完 -->"
LEVEL_NAMES: dict[Level, str] = {
    "locks": "保留锁定",
    "cover_minimum": "最低勤务",
    "requirements": "热点要求",
    "cover_ideal": "理想勤务",
    "staggering": "错时与空档",
    "changes": "改动最少",
    "fairness": "负荷均衡与合同约定",
    "preferences": "责任巡区与意愿",
}


def tables() -> str:
    """Return the tables of hard rules and of wishes, level by level."""
    lines = ["### 硬性规则", "", "按告知原因的先后排列。", ""]
    lines += ["| 名称 | 规则 | English | 参数 | 文件 |", "|---|---|---|---|---|"]
    lines += [_row(rule) for rule in HARD]
    for number, level in enumerate(LEVELS, start=1):
        lines += ["", f"### 第 {number} 层 `{level}`：{LEVEL_NAMES[level]}", ""]
        lines += ["| 名称 | 目标 | English | 参数 | 文件 |", "|---|---|---|---|---|"]
        lines += [_row(wish) for wish in WISHES if wish.level == level]
    return "\n".join(lines)


def _row(rule: Rule | Wish) -> str:
    zh, en = rule.says
    parameters = "、".join(f"`{name}`" for name in rule.parameters)
    file = type(rule).__module__.rsplit(".", 1)[-1]
    link = f"[{file}.py](../scheduling/core/rules/{file}.py)"
    return f"| `{rule.key}` | {zh} | {en} | {parameters} | {link} |"


def page(text: str) -> str:
    """Return the page with its tables written anew."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
