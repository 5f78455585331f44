"""One gate for people: its verdict, how much is still missing to it, and the counts it comes from.

The bars are logarithmic, as evidence is: an e-value of 1 says nothing and is an empty bar; the value that decides
is a full one. With every request that fits, a bar grows by about the same length.
"""

import math
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from modelyard.api.rollout_status import GateStatus, GateVerdict
from modelyard.cli.terminal.durations import spell
from modelyard.cli.terminal.wrapped_text import Flow

BAR = 24
_MARKS = {
    GateVerdict.PASS: ("✓", "green"),
    GateVerdict.FAIL: ("✗", "red"),
    GateVerdict.CONTINUE: ("…", "cyan"),
    GateVerdict.HOLD: ("‖", "yellow"),
    GateVerdict.NO_DATA: ("?", "yellow"),
    GateVerdict.PROVIDER_ERROR: ("!", "yellow"),
}
_BAD = {"latency": "too slow", "errors": "failed"}


def gate(one: GateStatus) -> RenderableType:
    """The gate as a block of lines."""
    return Group(_headline(one), *(Padding.indent(line, 2) for line in _lines(one)))


def filled(value: float, threshold: float, width: int = BAR) -> int:
    """Cells of a bar for an e-value on its way to a threshold; all of them only once it is reached."""
    if value >= threshold:
        return width
    if value <= 1.0:
        return 0
    return min(width - 1, int(width * math.log(value) / math.log(threshold)))


def number(value: float) -> str:
    """An e-value with as many digits as mean something."""
    if value < 100.0:
        return f"{value:.3g}"
    return f"{value:,.0f}" if value < 1e6 else f"{value:.1e}".replace(".0e", "e").replace("e+0", "e").replace("e+", "e")


def share(bad: int, requests: int) -> str:
    """`12 of 1,204 (1 %)`."""
    return f"{bad:,} of {requests:,}" + (f" ({100 * bad / requests:.2g} %)" if requests else "")


def short(one: GateStatus) -> str:
    """The gate in a few words, for a line of a log."""
    sides = []
    if one.fail_threshold:
        sides.append(f"against {number(one.evidence_against)}/{number(one.fail_threshold)}")
    if one.pass_threshold:
        sides.append(f"for {number(one.evidence_for)}/{number(one.pass_threshold)}")
    return f"{one.name} {one.verdict.value}" + (f" ({', '.join(sides)})" if sides else "")


def _headline(one: GateStatus) -> Text:
    mark, colour = _MARKS[one.verdict]
    said = Text.assemble((f"{mark} ", colour), (one.name, "bold"), "  ", (one.verdict.value, colour))
    if one.verdict is GateVerdict.CONTINUE and one.eta is not None:
        said.append(f", may pass in about {spell(one.eta)}")
    elif one.verdict is GateVerdict.CONTINUE and one.pass_threshold:
        said.append(", no pass in sight at this rate")
    return said


def _lines(one: GateStatus) -> Iterator[RenderableType]:
    if one.name in _BAD and (one.requests or one.stable_requests):
        yield Flow(tuple(_counts(one)))
    if one.fail_threshold:
        yield _bar("against", one.evidence_against, one.fail_threshold, "red", "fails")
    if one.pass_threshold:
        yield _bar("for    ", one.evidence_for, one.pass_threshold, "green", "enough to pass")
    if one.message:
        yield Text(one.message.removeprefix(f"{one.name}: "), style="dim")


def _counts(one: GateStatus) -> Iterator[Text]:
    yield Text(f"{_BAD[one.name]}: candidate {share(one.failed_requests, one.requests)}")
    if one.stable_requests:
        yield Text(f"stable {share(one.stable_failed_requests, one.stable_requests)}")
    if one.overdispersion > 1.0:
        yield Text(f"phi {one.overdispersion:.2g}")


def _bar(side: str, value: float, threshold: float, colour: str, end: str) -> Text:
    full = filled(value, threshold)
    reached = f"{end}: " if value >= threshold else ""
    return Text.assemble(
        f"{side} ",
        ("█" * full, colour),
        ("░" * (BAR - full), "dim"),
        f"  {reached}{number(value)} of {number(threshold)}",
    )
