"""One gate for people: its verdict, how much is still missing to it, and the counts it comes from.

The bars are logarithmic, as evidence is: an e-value of 1 says nothing and is an empty bar; the value that decides
is a full one. With every request that fits, a bar grows by about the same length.
"""

import math
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from modelyard.api.rollout_status import GateName, GateStatus, GateVerdict
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
_BAD: dict[str, str] = {
    GateName.LATENCY: "too slow",
    GateName.ERRORS: "failed",
    GateName.CLIENT_ERRORS: "rejected",
    GateName.FEEDBACK: "wrong",
}


def gate(status: GateStatus) -> RenderableType:
    """The gate as a block of lines: verdict, counts, a bar for either side of the evidence, its message."""
    return Group(_headline(status), *(Padding.indent(line, 2) for line in _lines(status)))


def filled(value: float, threshold: float, width: int = BAR) -> int:
    """Cells of a bar of `width` for an e-value on its way to a threshold: log(value) / log(threshold) of them.

    None up to 1, which says nothing; all of them only once the threshold is reached.
    """
    if value >= threshold:
        return width
    if value <= 1.0:
        return 0
    return min(width - 1, int(width * math.log(value) / math.log(threshold)))


def number(value: float) -> str:
    """An e-value with as many digits as mean something: three below 100, whole up to a million, then 1.2e6."""
    if value < 100.0:
        return f"{value:.3g}"
    return f"{value:,.0f}" if value < 1e6 else f"{value:.1e}".replace(".0e", "e").replace("e+0", "e").replace("e+", "e")


def share(bad: int, requests: int) -> str:
    """Failed requests of all: `12 of 1,204 (1 %)`; without the percentage when there were none."""
    return f"{bad:,} of {requests:,}" + (f" ({100 * bad / requests:.2g} %)" if requests else "")


def short(status: GateStatus) -> str:
    """The gate in a few words, for a line of a log."""
    sides = []
    if status.fail_threshold:
        sides.append(f"against {number(status.evidence_against)}/{number(status.fail_threshold)}")
    if status.pass_threshold:
        sides.append(f"for {number(status.evidence_for)}/{number(status.pass_threshold)}")
    return f"{status.name} {status.verdict.value}" + (f" ({', '.join(sides)})" if sides else "")


def _headline(status: GateStatus) -> Text:
    mark, colour = _MARKS[status.verdict]
    headline = Text.assemble((f"{mark} ", colour), (status.name, "bold"), "  ", (status.verdict.value, colour))
    if status.verdict is GateVerdict.CONTINUE and status.eta is not None:
        headline.append(f", may pass in about {spell(status.eta)}")
    elif status.verdict is GateVerdict.CONTINUE and status.pass_threshold:
        headline.append(", no pass in sight at this rate")
    return headline


def _lines(status: GateStatus) -> Iterator[RenderableType]:
    if status.name in _BAD and (status.requests or status.stable_requests):
        yield Flow(tuple(_counts(status)))
    if status.fail_threshold:
        yield _bar("against", status.evidence_against, status.fail_threshold, "red", "fails")
    if status.pass_threshold:
        yield _bar("for    ", status.evidence_for, status.pass_threshold, "green", "enough to pass")
    if status.message:
        yield Text(status.message.removeprefix(f"{status.name}: "), style="dim")


def _counts(status: GateStatus) -> Iterator[Text]:
    yield Text(f"{_BAD[status.name]}: candidate {share(status.failed_requests, status.requests)}")
    if status.stable_requests:
        yield Text(f"stable {share(status.stable_failed_requests, status.stable_requests)}")
    if status.overdispersion > 1.0:
        yield Text(f"phi {status.overdispersion:.2g}")


def _bar(side: str, value: float, threshold: float, colour: str, end: str) -> Text:
    full = filled(value, threshold)
    reached = f"{end}: " if value >= threshold else ""
    return Text.assemble(
        f"{side} ",
        ("█" * full, colour),
        ("░" * (BAR - full), "dim"),
        f"  {reached}{number(value)} of {number(threshold)}",
    )
