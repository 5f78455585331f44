"""Commands of a room are told apart by the marks in its output."""

import pytest

from cleanroom.__main__ import attempts_from
from cleanroom.enter import BEGIN, END


def test_each_command_gets_its_own_lines_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["Cloning\n", f"{BEGIN} make demo\n", "one\n", f"{END} 0\n", f"{BEGIN} make test\n", "two\n", f"{END} 2\n"]

    attempts = attempts_from(lines)

    assert [(each.command, each.code, each.lines) for each in attempts] == [
        ("make demo", 0, ["one"]),
        ("make test", 2, ["two"]),
    ]
    assert "Cloning\n" in capsys.readouterr().out


def test_a_command_without_an_end_has_no_exit_code() -> None:
    [attempt] = attempts_from([f"{BEGIN} make demo\n", "one\n"])

    assert attempt.code is None


def test_output_that_speaks_of_a_mark_ends_no_command() -> None:
    [attempt] = attempts_from([f"{BEGIN} make demo\n", f"  {END} 3\n", f"{END} 0\n"])

    assert attempt.code == 0
