"""A rollout as a tree: who has the traffic, how far the way is, what the gates know, and why it stands where it does.

Pure: everything shown is in `Look`. Every mark has its word beside it, so nothing is lost without colours.
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
from .progress import Reached, stations
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
    """A Model at the moment `now`, and ready and wanted replicas by revision, where they may be read."""

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


def tree(look: RolloutView) -> RenderableType:
    """The whole picture."""
    made = Tree(Group(_title(look), *_why(look)), guide_style="dim")
    for revision in look.model.status.revisions:
        made.add(_revision(look, revision))
    way = stations(look.model, look.now)
    if way:
        made.add(Flow((Text("Steps", "bold"), *(_station(one.label, one.reached, one.note) for one in way)), indent=7))
    if look.rollout.gates:
        gates = made.add(Text("Gates", "bold"))
        for one in look.rollout.gates:
            gates.add(rollout_evidence.gate(one))
    for title, lines in report(look.rollout.report):
        made.add(Group(Text(f"Report: {title}", "bold"), *lines))
    for line in (*_command(look), *_last(look)):
        made.add(line)
    return made


def headline(look: RolloutView) -> str:
    """Where the rollout stands, in a few words."""
    rollout = look.rollout
    if not rollout.active:
        return "no rollout is under way"
    stands = f"{rollout.phase.value} in {rollout.held.value}" if rollout.held else rollout.phase.value
    weight = f" at {rollout.weight} %" if rollout.weight else ""
    return f"{stands}{weight}"


def version(look: RolloutView) -> str:
    """The candidate's version; that of the wanted entry before there is a candidate."""
    entry = look.model.status.entry
    return look.rollout.version or (entry.version if entry else "")


def summary_line(record: RolloutRecord, now: float) -> Text:
    """How a rollout ended, in a line."""
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


def _title(look: RolloutView) -> Text:
    rollout, model = look.rollout, look.model
    title = Text.assemble((model.name, "bold"), f" in {model.namespace}: ")
    if not rollout.active:
        return title.append(headline(look))
    started = passed(rollout.start_time, look.now)
    title.append(f"{rollout.strategy or model.spec.rollout.strategy} to version {version(look) or '?'}")
    return title.append(f", for {spell(started)}" if started is not None else "")


def _why(look: RolloutView) -> Iterator[RenderableType]:
    rollout = look.rollout
    if look.behind:
        yield Text("The operator has not taken up the latest change of the Model yet.", "yellow")
    stalled = look.model.status.condition("Stalled")
    if stalled is not None and stalled.status == "True" and not rollout.rejected:
        yield Text(stalled.message, "red")
    if not rollout.active:
        return
    colour = {Phase.HOLDING: "yellow", Phase.ABORTING: "red"}.get(rollout.phase, "cyan")
    span = passed(rollout.phase_start_time, look.now)
    since = f" for {spell(span)}" if span is not None else ""
    word = f" ({rollout.reason})" if rollout.reason not in ("", rollout.phase.value) else ""
    yield Text.assemble((headline(look), colour), f"{since}{word}: {rollout.message or 'nothing said yet.'}")


def _revision(look: RolloutView, one: RevisionStatus) -> RenderableType:
    role, colour = _role(look, one)
    ready, wanted = look.replicas.get(one.name, (None, None))
    replicas = "replicas not known" if ready is None else f"{ready} of {wanted} ready"
    span = passed(one.stage_start_time, look.now)
    stage = f"{one.stage.value} for {spell(span)}" if span is not None else one.stage.value
    parts = (
        Text.assemble(("● " if one.weight else "○ ", colour), (f"{role:<9}", f"bold {colour}")),
        Text(f"version {one.version}"),
        Text(f"{one.weight:>3} %{_wanted(look, one)}"),
        Text(replicas, "" if ready is None or ready == wanted else "yellow"),
        Text(f"slot {one.slot}, {stage}", "dim"),
        Text(one.name, "dim"),
    )
    return Flow(parts, indent=13)


def _role(look: RolloutView, one: RevisionStatus) -> tuple[str, str]:
    rollout = look.rollout
    if one.name == rollout.candidate:
        return "candidate", "cyan"
    if one.name == rollout.rejected:
        return ("tried", "cyan") if reported(rollout) else ("refused", "red")
    if one.name == rollout.stable or one.stage is Stage.SERVING:
        return "stable", "green"
    return "leaving", "dim"


def _wanted(look: RolloutView, one: RevisionStatus) -> str:
    """What is still missing to the share it is to have, or how long a refused one is kept."""
    rollout = look.rollout
    if one.name == rollout.rejected:
        left = -(passed(rollout.retain_until, look.now) or 0.0)
        return f", kept {spell(left)} more" if left > 0 else ""
    return "" if one.name != rollout.candidate or one.weight == rollout.weight else f", to be {rollout.weight} %"


def _station(label: str, reached: Reached, note: str) -> Text:
    mark, colour = _REACHED[reached]
    return Text(f"{mark} {label}" + (f" ({note})" if note else ""), colour)


def _command(look: RolloutView) -> Iterator[RenderableType]:
    asked, answered = look.model.spec.rollout.command, look.rollout.command
    if asked is not None and not look.rollout.has_handled(asked.id):
        yield Text.assemble(("Command ", "bold"), f"{asked.action.value}: not answered yet")
    elif answered is not None:
        when = ago(answered.time, look.now)
        yield Text.assemble(("Command ", "bold"), f"{answered.action.value} {when}: {answered.answer}")


def _last(look: RolloutView) -> Iterator[RenderableType]:
    rollout, model = look.rollout, look.model
    if not rollout.history or (rollout.active and rollout.phase is not Phase.ABORTING):
        return
    record = rollout.history[0]
    lines = [Text.assemble(("Last ", "bold"), summary_line(record, look.now)), Text(record.message, "dim")]
    if rollout.rejected and not rollout.active and not reported(rollout):
        again = f"`modelyard rollout retry {model.name} -n {model.namespace}` tries this one once more"
        lines.append(Text.assemble(("Do: ", "bold"), f"push a better version and name it in spec.source; or {again}."))
    yield Group(*lines)
