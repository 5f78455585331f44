"""Watching a rollout to its end: a living tree on a terminal, a line for every change anywhere else.

views   one a second, from the API server
screen  shows each of them: `Picture` on a terminal, `Lines` into a log, `Documents` for programs
"""

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Protocol

import yaml
from rich.console import Console
from rich.live import Live

from modelyard.api.rollout_status import GateStatus, GateVerdict, Phase
from modelyard.cli.terminal.console import Output

from .exit_code import ExitStatus, ending
from .gates import short
from .progress import progress_steps
from .view import RolloutView, headline, tree, version


class Screen(Protocol):
    """Where views of a rollout are shown, one after the other."""

    def show(self, rollout_view: RolloutView) -> None: ...


def follow(views: Iterable[RolloutView | None], screen: Screen, wanted: str = "") -> ExitStatus | None:
    """Shows every view until the rollout (of version `wanted`) has ended, and says how; None when the views end first.

    A view that is None means that the Model is gone, which ends with exit code 1.
    """
    began = ""
    for rollout_view in views:
        if rollout_view is None:
            return ExitStatus(1, "The Model was deleted while it was watched.")
        screen.show(rollout_view)
        began = rollout_view.rollout.start_time if rollout_view.rollout.active else began
        exit_status = ending(rollout_view, began, wanted)
        if exit_status is not None:
            return exit_status
    return None


class Picture:
    """The tree, drawn over itself; the last one stays. A context."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)

    def show(self, rollout_view: RolloutView) -> None:
        self._live.update(tree(rollout_view), refresh=True)

    def __enter__(self) -> "Picture":
        self._live.__enter__()
        return self

    def __exit__(self, *failure: Any) -> None:
        self._live.__exit__(*failure)


class Lines:
    """A line for every change that a person would call one."""

    def __init__(self, console: Console) -> None:
        self._console, self._before = console, None

    def show(self, rollout_view: RolloutView) -> None:
        now = changing(rollout_view)
        if now != self._before:
            self._before = now
            self._console.print(line(rollout_view), markup=False, highlight=False, soft_wrap=True)


class Documents:
    """A JSON line or a YAML document for every such change."""

    def __init__(self, output: Output) -> None:
        self._output, self._before = output, None

    def show(self, rollout_view: RolloutView) -> None:
        now = changing(rollout_view)
        if now == self._before:
            return
        self._before = now
        if self._output is Output.JSON:
            sys.stdout.write(json.dumps(document(rollout_view), ensure_ascii=False) + "\n")
        else:
            sys.stdout.write("---\n" + yaml.safe_dump(document(rollout_view), sort_keys=False, allow_unicode=True))
        sys.stdout.flush()


def changing(rollout_view: RolloutView) -> tuple[Any, ...]:
    """Plain values that have to differ for a new line: where it stands and what the gates conclude, not every count."""
    rollout = rollout_view.rollout
    stands = (rollout.phase, rollout.held, rollout.reason, rollout.step, rollout.weight)
    known = (version(rollout_view), rollout_view.behind)
    verdicts = tuple((gate.name, gate.verdict) for gate in rollout.gates if gate.verdict not in _usual(gate))
    weights = tuple((revision.name, revision.weight) for revision in rollout_view.model.status.revisions)
    return (*stands, *known, verdicts, weights, rollout.command and rollout.command.id)


def line(rollout_view: RolloutView) -> str:
    """One line of a log: time (UTC), where the rollout stands, why, and what the gates say."""
    rollout = rollout_view.rollout
    clock = datetime.fromtimestamp(rollout_view.now, UTC).strftime("%H:%M:%SZ")
    if rollout_view.behind:
        return f"{clock} {rollout_view.model.name}: the operator has not taken up the latest change yet"
    if not rollout.active:
        return f"{clock} {rollout_view.model.name}: {headline(rollout_view)}"
    named = " version ".join(filter(None, (rollout_view.model.name, version(rollout_view))))
    weights = {revision.name: revision.weight for revision in rollout_view.model.status.revisions}
    weight = weights.get(rollout.candidate, rollout.weight)
    weight_note = f", has {weight} %" if weight != rollout.weight else ""
    word = f" ({rollout.reason})" if rollout.reason not in ("", rollout.phase.value) else ""
    known = rollout.gates if rollout.phase is not Phase.ABORTING else []
    gates = "; ".join(short(gate) for gate in known)
    sentence = f"{clock} {named}: {headline(rollout_view)}{weight_note}{word}: {rollout.message}"
    return f"{sentence} [{gates}]" if gates else sentence


def _usual(gate: GateStatus) -> tuple[GateVerdict, ...]:
    """Verdicts that are no news; that a gate with evidence passes is one."""
    return (GateVerdict.CONTINUE,) if gate.pass_threshold else (GateVerdict.CONTINUE, GateVerdict.PASS)


def document(rollout_view: RolloutView) -> dict[str, Any]:
    """The same for programs: the status of the Model's rollout without the gates' inner sums, and the revisions."""
    model, status = rollout_view.model, rollout_view.model.status
    rollout = rollout_view.rollout.model_dump(by_alias=True, exclude_none=True, mode="json")
    for gate in rollout["gates"]:
        gate.pop("state", None)
    revisions = []
    for revision in status.revisions:
        ready, desired = rollout_view.replicas.get(revision.name, (None, None))
        shown = revision.model_dump(by_alias=True, exclude_none=True, mode="json")
        revisions.append({**shown, "readyReplicas": ready, "replicas": desired})
    return {
        "name": model.name,
        "namespace": model.namespace,
        "version": status.version,
        "upToDate": not rollout_view.behind,
        "rollout": rollout,
        "steps": [
            {"name": step.label, "reached": step.reached.value, "note": step.note}
            for step in progress_steps(model, rollout_view.now)
        ],
        "revisions": revisions,
    }
