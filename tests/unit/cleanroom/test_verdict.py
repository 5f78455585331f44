"""The last line of a clean room says what was missing, or that nothing was."""

import pytest

from cleanroom.verdict import Attempt, last_line

MISSED = {
    "/bin/bash: line 1: uv: command not found": "uv",
    "/bin/sh: 1: jq: not found": "jq",
    "make: jq: No such file or directory": "jq",
    "env: ‘jq’: No such file or directory": "jq",
    "FileNotFoundError: [Errno 2] No such file or directory: 'go'": "go",
    "ModuleNotFoundError: No module named 'go'": "go",
    "tritonserver: error while loading shared libraries: libpython3.11.so.1.0: cannot open": "libpython3.11.so.1.0",
    "The program helm is missing: run `make setup` and use the Python of .venv.": "helm",
    "✗ uv is missing: run `make setup`, or `pip install uv`.": "uv",
    "There is no uv: run `make setup`, which brings one.": "uv",
}


@pytest.mark.parametrize("line", MISSED)
def test_what_a_failed_command_missed_is_named(line: str) -> None:
    attempt = Attempt("make demo", 2, 15.2, ["setup: .venv is ready", line, "make: *** [Makefile:15: demo] Error 1"])

    assert last_line([attempt]) == f"cleanroom: `make demo` missed {MISSED[line]}."


def test_a_thing_that_is_missed_often_is_named_once() -> None:
    attempt = Attempt("make test", 2, 1, ["No module named 'go'"] * 225)

    assert last_line([attempt]) == "cleanroom: `make test` missed go."


def test_nothing_is_missing_when_every_command_ends_well_whatever_it_printed() -> None:
    attempts = [Attempt("make demo", 0, 600.4), Attempt("make test", 0, 1200, ["No module named 'go'"])]

    assert last_line(attempts) == "cleanroom: nothing was missing (make demo 600 s, make test 1200 s)."


def test_a_failure_that_names_nothing_ends_with_its_last_words() -> None:
    attempts = [Attempt("make demo", 0, 600), Attempt("make test", 1, 90, ["1 passed, 1 failed", ""])]

    assert last_line(attempts) == "cleanroom: `make test` ended with code 1, its last words: 1 passed, 1 failed."


def test_a_command_that_was_cut_off_did_not_end_well() -> None:
    assert last_line([Attempt("make demo")]) == "cleanroom: `make demo` was cut off, its last words: no output."


def test_a_room_in_which_no_command_was_run_is_no_success() -> None:
    assert last_line([]) == "cleanroom: no command was run."
