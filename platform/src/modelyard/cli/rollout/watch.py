"""Watching a rollout to its end: a living tree on a terminal, a line for every change anywhere else.

looks   one a second, from the API server
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
from .progress import stations
from .view import RolloutView, headline, tree, version


class Screen(Protocol):
    """Where looks are shown."""

    def show(self, look: RolloutView) -> None: ...


def follow(looks: Iterable[RolloutView | None], screen: Screen) -> ExitStatus | None:
    """How the rollout ended; None when the looks did before. A look that is None means that the Model is gone."""
    began = ""
    for look in looks:
        if look is None:
            return ExitStatus(1, "The Model was deleted while it was watched.")
        screen.show(look)
        began = look.rollout.start_time if look.rollout.active else began
        found = ending(look, began)
        if found is not None:
            return found
    return None


class Picture:
    """The tree, drawn over itself; the last one stays. A context."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)

    def show(self, look: RolloutView) -> None:
        self._live.update(tree(look), refresh=True)

    def __enter__(self) -> "Picture":
        self._live.__enter__()
        return self

    def __exit__(self, *failure: Any) -> None:
        self._live.__exit__(*failure)


class Lines:
    """A line for every change that a person would call one."""

    def __init__(self, console: Console) -> None:
        self._console, self._before = console, None

    def show(self, look: RolloutView) -> None:
        now = changing(look)
        if now != self._before:
            self._before = now
            self._console.print(line(look), markup=False, highlight=False, soft_wrap=True)


class Documents:
    """A JSON line or a YAML document for every such change."""

    def __init__(self, output: Output) -> None:
        self._output, self._before = output, None

    def show(self, look: RolloutView) -> None:
        now = changing(look)
        if now == self._before:
            return
        self._before = now
        if self._output is Output.JSON:
            sys.stdout.write(json.dumps(document(look), ensure_ascii=False) + "\n")
        else:
            sys.stdout.write("---\n" + yaml.safe_dump(document(look), sort_keys=False, allow_unicode=True))
        sys.stdout.flush()


def changing(look: RolloutView) -> tuple[Any, ...]:
    """What has to differ for a new line: where it stands and what the gates conclude, not every count."""
    rollout = look.rollout
    stands = (rollout.phase, rollout.held, rollout.reason, rollout.step, rollout.weight, version(look), look.behind)
    verdicts = tuple((gate.name, gate.verdict) for gate in rollout.gates if gate.verdict not in _usual(gate))
    shares = tuple((one.name, one.weight) for one in look.model.status.revisions)
    return (*stands, verdicts, shares, rollout.command and rollout.command.id)


def line(look: RolloutView) -> str:
    """Time, where it stands, why, and what the gates say."""
    rollout = look.rollout
    clock = datetime.fromtimestamp(look.now, UTC).strftime("%H:%M:%SZ")
    if look.behind:
        return f"{clock} {look.model.name}: the operator has not taken up the latest change yet"
    if not rollout.active:
        return f"{clock} {look.model.name}: {headline(look)}"
    named = f"{look.model.name} version {version(look)}" if version(look) else look.model.name
    has = next((one.weight for one in look.model.status.revisions if one.name == rollout.candidate), rollout.weight)
    share = f", has {has} %" if has != rollout.weight else ""
    word = f" ({rollout.reason})" if rollout.reason not in ("", rollout.phase.value) else ""
    known = rollout.gates if rollout.phase is not Phase.ABORTING else []
    gates = "; ".join(short(gate) for gate in known)
    said = f"{clock} {named}: {headline(look)}{share}{word}: {rollout.message}"
    return f"{said} [{gates}]" if gates else said


def _usual(gate: GateStatus) -> tuple[GateVerdict, ...]:
    """Verdicts that are no news; that a gate with evidence passes is one."""
    return (GateVerdict.CONTINUE,) if gate.pass_threshold else (GateVerdict.CONTINUE, GateVerdict.PASS)


def document(look: RolloutView) -> dict[str, Any]:
    """The same for programs: the status of the Model's rollout without the gates' inner sums, and the revisions."""
    model, status = look.model, look.model.status
    rollout = look.rollout.model_dump(by_alias=True, exclude_none=True, mode="json")
    for gate in rollout["gates"]:
        gate.pop("state", None)
    revisions = []
    for one in status.revisions:
        ready, wanted = look.replicas.get(one.name, (None, None))
        shown = one.model_dump(by_alias=True, exclude_none=True, mode="json")
        revisions.append({**shown, "readyReplicas": ready, "replicas": wanted})
    return {
        "name": model.name,
        "namespace": model.namespace,
        "version": status.version,
        "upToDate": not look.behind,
        "rollout": rollout,
        "steps": [
            {"name": one.label, "reached": one.reached.value, "note": one.note} for one in stations(model, look.now)
        ],
        "revisions": revisions,
    }
