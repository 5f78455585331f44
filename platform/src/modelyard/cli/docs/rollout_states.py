"""The page that draws the states of a rollout, made by asking the table in `rollout.py` every question there is.

Every path that a spec can give a rollout is followed from Idle, with every signal in every state that it leads to.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from modelyard.api.rollout import FITS, Strategy
from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.rollout.state_machine import AGAINST, RolloutSpecView, Signal, next_transition

_STEPS = 2
_SIGNALS = {
    Signal.SPEC_CHANGED: "the spec asks for another revision than the stable, which was not refused before",
    Signal.BUILT: "the artifact is in the store",
    Signal.DRAINED: "the revision that goes has no traffic any more; Replacing: it is gone",
    Signal.WARMED_UP: "the candidate answered a warm-up request",
    Signal.PASSED: "every gate of the phase passed, and its least time is over",
    Signal.INCONCLUSIVE: "nothing can be concluded, or a person holds it",
    Signal.CONCLUSIVE: "that is over",
    Signal.PROMOTE: "a person, or `onInconclusive: Promote`, wants the candidate without waiting",
    Signal.FAILED: "a gate failed the candidate",
    Signal.EXPIRED: "`maxDuration` is over without a decision",
    Signal.ABORT: "a person aborted it",
    Signal.SUPERSEDED: "the spec asks for a third revision",
    Signal.REVERTED: "the spec asks for the stable again",
}
_HEAD = """\
# The states of a rollout

Drawn from the code that decides (`make generate`), so it is what the operator does. An arrow is named after the
signal that leads along it; how the rollout then ended is in brackets. What the phases mean and what to do about them
is in [rollouts.md](rollouts.md).
"""
_TAIL = """\
From every phase but Idle and Aborting, what speaks against the candidate leads to Aborting, before anything else is
looked at; those arrows are left out of the picture:

"""


class Arrow(NamedTuple):
    """One arrow; `outcome` when it ends the rollout."""

    source: Phase
    signal: Signal
    target: Phase
    outcome: Outcome | None


def transitions() -> frozenset[Arrow]:
    """Every transition that some spec can lead to, each once."""
    return frozenset(arrow for spec_view in _spec_views() for arrow in _along(spec_view))


def _along(spec_view: RolloutSpecView) -> Iterator[Arrow]:
    """Those of one spec; a state is its phase, its step and the phase that is held."""
    open_: list[tuple[Phase, int, Phase]] = [(Phase.IDLE, 0, spec_view.held)]
    known = set(open_)
    while open_:
        phase, step, held = open_.pop()
        for signal in Signal:
            transition = next_transition(phase, step, signal, replace(spec_view, held=held))
            if transition is None:
                continue
            yield Arrow(phase, signal, transition.phase, transition.outcome)
            following = (
                transition.phase,
                transition.step,
                phase if transition.phase is Phase.HOLDING else spec_view.held,
            )
            if following not in known:
                known.add(following)
                open_.append(following)


def page() -> str:
    """The page docs/rollout-states.md: a state diagram, and tables of what every signal means."""
    arrows = transitions()
    drawn = "\n".join(_drawn(arrow for arrow in arrows if arrow.signal not in AGAINST))
    ends = "\n".join(f"| {signal} | {_SIGNALS[signal]} | {_outcomes(arrows, signal)} |" for signal in AGAINST)
    signals = "\n".join(f"| {signal} | {meaning} |" for signal, meaning in _SIGNALS.items() if signal not in AGAINST)
    return "\n".join(
        [
            _HEAD,
            f"```mermaid\nstateDiagram-v2\n    [*] --> {Phase.IDLE}\n{drawn}\n```\n",
            f"| signal | what was seen |\n|---|---|\n{signals}\n",
            f"{_TAIL}| signal | what was seen | outcome |\n|---|---|---|\n{ends}\n",
        ]
    )


def _spec_views() -> Iterator[RolloutSpecView]:
    for strategy, load_test, goes_on, first in product(Strategy, (False, True), (False, True), (False, True)):
        if (load_test and strategy not in FITS["load_test"]) or (goes_on and strategy not in FITS["shadow"]):
            continue
        yield RolloutSpecView(strategy, _STEPS, load_test, goes_on, first)


def _drawn(arrows: Iterator[Arrow]) -> list[str]:
    """Lines of the picture, one for every pair of phases, in the phases' own order."""
    order = list(Phase)
    words: dict[tuple[Phase, Phase], set[str]] = {}
    for arrow in arrows:
        ending = f" ({arrow.outcome})" if arrow.outcome else ""
        words.setdefault((arrow.source, arrow.target), set()).add(f"{arrow.signal}{ending}")
    pairs = sorted(words, key=lambda pair: (order.index(pair[0]), order.index(pair[1])))
    return [f"    {source} --> {target}: {', '.join(sorted(words[source, target]))}" for source, target in pairs]


def _outcomes(arrows: frozenset[Arrow], signal: Signal) -> str:
    """Outcomes of a signal, with the phases they belong to when there is more than one."""
    by_outcome: dict[str, set[Phase]] = {}
    for arrow in arrows:
        if arrow.signal is signal:
            by_outcome.setdefault(str(arrow.outcome), set()).add(arrow.source)
    if len(by_outcome) == 1:
        return next(iter(by_outcome))
    rarest, *others = sorted(by_outcome, key=lambda outcome: len(by_outcome[outcome]))
    phases = ", ".join(phase for phase in Phase if phase in by_outcome[rarest])
    return f"{', '.join(others)}; from {phases}: {rarest}"
