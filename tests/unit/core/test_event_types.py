"""The one table of reasons: each has a type, and nobody decides a type elsewhere."""

from pathlib import Path

import pytest

from modelyard.api.rollout_status import Outcome, Phase
from modelyard.cli.docs.reason_words import PACKAGE, reason_words
from modelyard.cli.docs.remedies import Section, remedies
from modelyard.core.event_types import EVENT_TYPES, event_type
from modelyard.core.plan import Event

WANTED = {"Paused", "PauseStep", "PromoteCommanded", "Reported", "Reverted", "Superseded"}
"""A person holds or ends a rollout, or a comparison is over: no harm, though the rollout does not go on."""


def test_every_reason_of_the_source_has_a_type_and_the_table_has_no_other() -> None:
    assert set(EVENT_TYPES) == reason_words() | set(Phase) | {Outcome.PROMOTED}


def test_what_the_page_calls_trouble_is_a_warning_and_nothing_else_is() -> None:
    harmless = {row.reason for row in remedies() if row.section is Section.STATE} | WANTED

    assert {reason for reason, kind in EVENT_TYPES.items() if kind == "Normal"} == {
        *harmless, *Phase, Outcome.PROMOTED
    }  # fmt: skip


def test_a_word_that_nobody_here_knows_is_harm() -> None:
    assert event_type("WordOfANewerBuilder") == "Warning"


@pytest.mark.parametrize(("cause", "kind"), [("", "Normal"), ("ErrorsGateFailed", "Warning")])
def test_an_event_may_be_about_another_reason(cause: str, kind: str) -> None:
    assert Event.of("Done", "It ended.", cause=cause) == Event(kind, "Done", "It ended.")


def test_no_other_file_names_a_type() -> None:
    named = [path.name for path in Path(PACKAGE).rglob("*.py") if '"Warning"' in path.read_text()]

    assert named == ["event_types.py"]
