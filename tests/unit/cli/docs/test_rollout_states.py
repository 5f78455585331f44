"""The picture of a rollout's states, and the table in words: both show what the code does."""

import re

from modelyard.api.rollout_status import Outcome, Phase
from modelyard.cli.docs.rollout_states import Arrow, page, transitions
from modelyard.core.rollout import state_machine
from modelyard.core.rollout.state_machine import AGAINST, WATCHED, Signal

FIRST_STAGES = "Advancing, Previewing, Mirroring, Splitting"
GROUPS = {
    "the first stage": FIRST_STAGES,
    "the phase that was held": ", ".join(sorted(WATCHED)),
    "every one but Idle and Aborting": ", ".join(set(Phase) - {Phase.IDLE, Phase.ABORTING}),
}
PHASE = re.compile(rf"\b({'|'.join(Phase)})\b(?: \((\w+)\))?")


def in_words() -> set[Arrow]:
    """The rows of the table in the module's docstring."""
    assert state_machine.__doc__ is not None
    lines = [
        line for line in state_machine.__doc__.splitlines() if line.startswith("| ") and not line.startswith("| from")
    ]
    found = set()
    for line in lines:
        for words, group in GROUPS.items():
            line = line.replace(words, group)
        sources, signals, targets = (cell.strip() for cell in line.strip("|").split("|"))
        for target, outcome in PHASE.findall(targets):
            for source in sources.split(", "):
                for signal in signals.split(", "):
                    ended = Outcome(outcome) if outcome else None
                    found.add(Arrow(Phase(source), Signal(signal), Phase(target), ended))
    return found


def without_endings(found: set[Arrow] | frozenset[Arrow]) -> set[Arrow]:
    """How a signal against the candidate ends a rollout is in a table of its own."""
    return {one._replace(outcome=None) if one.signal in AGAINST else one for one in found}


def test_the_table_in_words_names_exactly_the_transitions_of_the_code() -> None:
    assert without_endings(in_words()) == without_endings(transitions())


def test_every_phase_is_reached_and_left_again() -> None:
    found = transitions()

    assert {one.source for one in found} == {one.target for one in found} == set(Phase)


def test_whatever_ends_a_rollout_says_how() -> None:
    ends = {one for one in transitions() if one.target in (Phase.IDLE, Phase.ABORTING)}

    assert {one for one in ends if one.outcome is None} == {Arrow(Phase.ABORTING, Signal.DRAINED, Phase.IDLE, None)}


def test_the_picture_has_an_arrow_for_every_pair_of_phases_that_is_not_against_the_candidate() -> None:
    drawn = set(re.findall(r"^    (\w+) --> (\w+):", page(), re.MULTILINE))

    assert drawn == {(one.source, one.target) for one in transitions() if one.signal not in AGAINST}


def test_what_speaks_against_the_candidate_is_told_with_its_outcome() -> None:
    rows = [line for line in page().splitlines() if line.startswith(("| Failed", "| Reverted"))]

    assert rows == [
        "| Failed | a gate failed the candidate | Aborted; from Building, Replacing, Starting: Failed |",
        "| Reverted | the spec asks for the stable again | RolledBack |",
    ]
