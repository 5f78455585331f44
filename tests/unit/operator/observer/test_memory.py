"""Who wants which build, and how a line of the log is written."""

import json
import logging

from modelyard.operator.cache.objects import Key
from modelyard.operator.json_logs import JsonLine
from modelyard.operator.observer.snapshot import DesiredBuilds

DIGITS, FACES = Key("demo", "digits"), Key("demo", "faces")


def test_a_build_wakes_every_model_that_wants_it_and_no_other() -> None:
    wishes = DesiredBuilds()
    wishes.note(DIGITS, "sha256:" + "a" * 64)
    wishes.note(FACES, "sha256:" + "a" * 64)
    wishes.note(DIGITS, "sha256:" + "b" * 64)

    assert wishes.of("a" * 16) == [FACES]
    assert wishes.of("b" * 16) == [DIGITS]
    wishes.note(DIGITS)
    assert wishes.of("b" * 16) == []


def test_a_model_may_wait_for_a_plain_and_an_optimized_build() -> None:
    wishes = DesiredBuilds()
    wishes.note(DIGITS, "sha256:" + "a" * 64, "sha256:" + "b" * 64)
    assert wishes.of("a" * 16) == wishes.of("b" * 16) == [DIGITS]

    wishes.note(DIGITS, "", "sha256:" + "b" * 64)
    assert wishes.of("a" * 16) == []
    assert wishes.of("b" * 16) == [DIGITS]


def test_a_log_event_is_one_line_of_json_with_its_fields_and_trace() -> None:
    try:
        raise ValueError("broken\nin two lines")
    except ValueError as bad:
        record = logging.LogRecord("modelyard", logging.ERROR, __file__, 1, "look %s", ("failed",), None)
        record.exc_info = (type(bad), bad, bad.__traceback__)
    record.fields = {"model": "demo/digits", "odd": object}
    line = JsonLine().format(record)

    assert "\n" not in line
    said = json.loads(line)
    assert (said["level"], said["message"], said["model"]) == ("error", "look failed", "demo/digits")
    assert "broken" in said["trace"]
