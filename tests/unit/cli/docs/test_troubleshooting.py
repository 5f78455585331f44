"""The troubleshooting page has every reason of the source, and each names a test that really provokes it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from modelyard.cli.docs.reason_words import reason_words
from modelyard.cli.docs.remedies import Remedy, Section, remedies
from modelyard.cli.docs.troubleshooting import UndocumentedReason, checked, page

TESTS = Path(__file__).resolve().parents[3]
ROWS = remedies()
TABLES = {"unit/core/test_failure_causes.py"}
"""Files whose test is made from the table that the rows are made from; a test there asks for a case of every row."""


@cache
def written() -> str:
    """The page, made once; not while tests are collected, which every process does."""
    return page()


def test_every_reason_of_the_source_has_a_row_and_no_row_is_idle() -> None:
    assert checked(ROWS, reason_words()) == ROWS


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.reason}-{row.section.name}" for row in ROWS])
def test_the_test_of_a_row_is_there_and_its_file_knows_the_reason(row: Remedy) -> None:
    path, _, name = row.test.partition("::")
    text = (TESTS / path).read_text()
    functions = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}

    assert name in functions
    assert path in TABLES or row.section is Section.STATE or re.search(rf"\b{row.reason}\b", text)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.reason}-{row.section.name}" for row in ROWS])
def test_a_row_says_why_and_what_helps(row: Remedy) -> None:
    assert row.cause.endswith(".")
    assert row.remedy.endswith(".")
    assert f"| {row.reason} | {row.cause} | {row.remedy} |" in written()


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('Failure("NewTrouble", "x")', "NewTrouble"),
        ('ConditionUpdate(False, "A" if x else "NewTrouble", "x")', "NewTrouble"),
        ('NEW = "NewTrouble"\nFailure(NEW, "x")', "NewTrouble"),
        ('A, NEW = "a", "NewTrouble"\nFailure(NEW, "x")', "NewTrouble"),
        ('rollout._replace(reason=known or "NewTrouble")', "NewTrouble"),
        ('_REASONS = {1: "NewTrouble"}', "NewTrouble"),
        ('def held():\n    yield "NewTrouble", "x"', "NewTrouble"),
    ],
)
def test_a_new_reason_is_seen_wherever_it_is_given(tmp_path: Path, source: str, word: str) -> None:
    (tmp_path / "new.py").write_text(source)

    words = reason_words(tmp_path)

    assert word in words
    with pytest.raises(UndocumentedReason, match=r"without a row in cli/docs/remedies.py: .*NewTrouble"):
        checked(ROWS, words | reason_words())
    with pytest.raises(UndocumentedReason, match=r"rows that no code gives: .*NameTaken"):
        checked(ROWS, reason_words() - {"NameTaken"})
