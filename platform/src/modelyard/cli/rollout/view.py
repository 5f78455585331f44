"""A rollout as a tree: who has the traffic, how far the way is, what the gates know, and why it stands where it does.

Pure: everything shown is in `RolloutView`. Every mark has its word beside it, so nothing is lost without colours.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from modelyard.api.model import Model
from modelyard.api.rollout_status import Outcome, Phase, RolloutRecord, RolloutStatus
from modelyard.api.status import RevisionStatus, Stage
from modelyard.cli.terminal.durations import ago, passed, spell
from modelyard.cli.terminal.wrapped_text import Flow

from . import gates as rollout_evidence
from .progress import ProgressStep, Reached, progress_steps
from .report import report

_REACHED = {
    Reached.DONE: ("✓", "green"),
    Reached.CURRENT: ("●", "bold cyan"),
    Reached.HELD: ("‖", "yellow"),
    Reached.TO_COME: ("○", "dim"),
}
_OUTCOMES = {Outcome.PROMOTED: ("✓", "green"), Outcome.REPORTED: ("✓", "cyan")}


@dataclass(frozen=True)
class RolloutView:
    """A Model at the moment `now`, and ready and desired replicas by revision, where they may be read."""

    model: Model
    now: float
    replicas: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def rollout(self) -> RolloutStatus:
        """Its rollout; an idle one when the operator has said nothing yet."""
        return self.model.status.rollout or RolloutStatus()

    @property
    def behind(self) -> bool:
        """The operator has not taken up the latest change of the Model."""
        return self.model.status.observed_generation < self.model.generation


def tree(rollout_view: RolloutView) -> RenderableType:
    """The whole picture: revisions, steps, gates, reports, the last command, and how the last rollout ended."""
    root = Tree(Group(_title(rollout_view), *_why(rollout_view)), guide_style="dim")
    for revision in rollout_view.model.status.revisions:
        root.add(_revision(rollout_view, revision))
    way = progress_steps(rollout_view.model, rollout_view.now)
    if way:
        root.add(Flow((Text("Steps", "bold"), *(_step(step) for step in way)), indent=7))
    if rollout_view.rollout.gates:
        gates = root.add(Text("Gates", "bold"))
        for gate in rollout_view.rollout.gates:
            gates.add(rollout_evidence.gate(gate))
    for title, lines in report(rollout_view.rollout.report):
        root.add(Group(Text(f"Report: {title}", "bold"), *lines))
    for line in (*_command(rollout_view), *_last(rollout_view)):
        root.add(line)
    return root


def headline(rollout_view: RolloutView) -> str:
    """Where the rollout stands in a few words: phase, the phase that is held, weight in percent."""
    rollout = rollout_view.rollout
    if not rollout.active:
        return "no rollout is under way"
    stands = f"{rollout.phase.value} in {rollout.held.value}" if rollout.held else rollout.phase.value
    weight = f" at {rollout.weight} %" if rollout.weight else ""
    return f"{stands}{weight}"


def version(rollout_view: RolloutView) -> str:
    """The candidate's version; that of the resolved entry before there is a candidate; empty before that."""
    entry = rollout_view.model.status.entry
    return rollout_view.rollout.version or (entry.version if entry else "")


def summary_line(record: RolloutRecord, now: float) -> Text:
    """How a rollout ended, in a line; `now` is in seconds since the epoch."""
    mark, colour = _OUTCOMES.get(record.outcome, ("✗", "red"))
    span = spell((passed(record.start_time, now) or 0) - (passed(record.end_time, now) or 0))
    counts = f", {rollout_evidence.share(record.failed_requests, record.requests)} failed" if record.requests else ""
    return Text.assemble(
        (f"{mark} {record.outcome.value}", colour),
        f" {ago(record.end_time, now)}: version {record.version} by {record.strategy}, took {span}{counts}",
    )


def reported(rollout: RolloutStatus) -> bool:
    """The last rollout was one that ends with a report, which refuses nobody."""
    return bool(rollout.history) and rollout.history[0].outcome is Outcome.REPORTED


def _title(rollout_view: RolloutView) -> Text:
    rollout, model = rollout_view.rollout, rollout_view.model
    title = Text.assemble((model.name, "bold"), f" in {model.namespace}: ")
    if not rollout.active:
        return title.append(headline(rollout_view))
    started = passed(rollout.start_time, rollout_view.now)
    title.append(f"{rollout.strategy or model.spec.rollout.strategy} to version {version(rollout_view) or '?'}")
    return title.append(f", for {spell(started)}" if started is not None else "")


def _why(rollout_view: RolloutView) -> Iterator[RenderableType]:
    rollout = rollout_view.rollout
    if rollout_view.behind:
        yield Text("The operator has not taken up the latest change of the Model yet.", "yellow")
    stalled = rollout_view.model.status.condition("Stalled")
    if stalled is not None and stalled.status == "True" and not rollout.rejected:
        yield Text(stalled.message, "red")
    if not rollout.active:
        return
    colour = {Phase.HOLDING: "yellow", Phase.ABORTING: "red"}.get(rollout.phase, "cyan")
    span = passed(rollout.phase_start_time, rollout_view.now)
    since = f" for {spell(span)}" if span is not None else ""
    word = f" ({rollout.reason})" if rollout.reason not in ("", rollout.phase.value) else ""
    yield Text.assemble((headline(rollout_view), colour), f"{since}{word}: {rollout.message or 'nothing said yet.'}")


def _revision(rollout_view: RolloutView, revision: RevisionStatus) -> RenderableType:
    role, colour = _role(rollout_view, revision)
    ready, desired = rollout_view.replicas.get(revision.name, (None, None))
    replicas = "replicas not known" if ready is None else f"{ready} of {desired} ready"
    span = passed(revision.stage_start_time, rollout_view.now)
    stage = f"{revision.stage.value} for {spell(span)}" if span is not None else revision.stage.value
    parts = (
        Text.assemble(("● " if revision.weight else "○ ", colour), (f"{role:<9}", f"bold {colour}")),
        Text(f"version {revision.version}"),
        Text(f"{revision.weight:>3} %{_weight_note(rollout_view, revision)}"),
        Text(replicas, "" if ready is None or ready == desired else "yellow"),
        Text(f"slot {revision.slot}, {stage}", "dim"),
        Text(revision.name, "dim"),
    )
    return Flow(parts, indent=13)


def _role(rollout_view: RolloutView, revision: RevisionStatus) -> tuple[str, str]:
    rollout = rollout_view.rollout
    if revision.name == rollout.candidate:
        return "candidate", "cyan"
    if revision.name == rollout.rejected:
        return ("tried", "cyan") if reported(rollout) else ("refused", "red")
    if revision.name == rollout.stable or revision.stage is Stage.SERVING:
        return "stable", "green"
    return "leaving", "dim"


def _weight_note(rollout_view: RolloutView, revision: RevisionStatus) -> str:
    """The weight it is still to get, or how long a refused one is kept."""
    rollout = rollout_view.rollout
    if revision.name == rollout.rejected:
        left = -(passed(rollout.retain_until, rollout_view.now) or 0.0)
        return f", kept {spell(left)} more" if left > 0 else ""
    if revision.name != rollout.candidate or revision.weight == rollout.weight:
        return ""
    return f", to be {rollout.weight} %"


def _step(step: ProgressStep) -> Text:
    mark, colour = _REACHED[step.reached]
    return Text(f"{mark} {step.label}" + (f" ({step.note})" if step.note else ""), colour)


def _command(rollout_view: RolloutView) -> Iterator[RenderableType]:
    command, answered = rollout_view.model.spec.rollout.command, rollout_view.rollout.command
    if command is not None and not rollout_view.rollout.has_handled(command.id):
        yield Text.assemble(("Command ", "bold"), f"{command.action.value}: not answered yet")
    elif answered is not None:
        when = ago(answered.time, rollout_view.now)
        yield Text.assemble(("Command ", "bold"), f"{answered.action.value} {when}: {answered.answer}")


def _last(rollout_view: RolloutView) -> Iterator[RenderableType]:
    rollout, model = rollout_view.rollout, rollout_view.model
    if not rollout.history or (rollout.active and rollout.phase is not Phase.ABORTING):
        return
    record = rollout.history[0]
    lines = [Text.assemble(("Last ", "bold"), summary_line(record, rollout_view.now)), Text(record.message, "dim")]
    if rollout.rejected and not rollout.active and not reported(rollout):
        again = f"`modelyard rollout retry {model.name} -n {model.namespace}` tries this one once more"
        lines.append(Text.assemble(("Do: ", "bold"), f"push a better version and name it in spec.source; or {again}."))
    yield Group(*lines)
