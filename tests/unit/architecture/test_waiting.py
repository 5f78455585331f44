"""What a test waits for is read once a look: of what is read twice the second may be another world's."""

import ast
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]


def read_twice(source: str) -> list[str]:
    """Calls that a condition to wait for makes more than once with the same arguments, as LINE: CALL."""
    waits = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and _waits(node.func)]
    conditions = [each for wait in waits for each in wait.args if isinstance(each, ast.Lambda)]
    calls = [
        (node.lineno, Counter(ast.unparse(part) for part in ast.walk(node) if isinstance(part, ast.Call)))
        for node in conditions
    ]
    return [f"{line}: {call}" for line, counted in calls for call, times in counted.items() if times > 1]


def _waits(called: ast.expr) -> bool:
    return ast.unparse(called).rpartition(".")[2] in ("eventually", "until")


def test_a_condition_that_reads_twice_is_seen() -> None:
    twice = "eventually(lambda: not jobs(a) or 'gone' in jobs(a)[0], 'it ends')"
    once = "eventually(lambda: all('gone' in job for job in jobs(a)) or jobs(b), 'it ends')"

    assert (read_twice(twice), read_twice(once)) == (["1: jobs(a)"], [])
    assert read_twice(f"{twice}; {once}") == ["1: jobs(a)"], "one line may hold two conditions"


def test_no_condition_reads_twice() -> None:
    files = sorted(TESTS.rglob("*.py"))
    found = {str(path.relative_to(TESTS)): read_twice(path.read_text()) for path in files}

    assert found
    assert {path: calls for path, calls in found.items() if calls} == {}
