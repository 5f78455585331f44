"""The report page: complete, self-contained, honest about refusals, safe whatever variants are called."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from modelyard.api.optimization import (
    ORIGINAL,
    Chosen,
    Conditions,
    HardwareFacts,
    Latency,
    Metric,
    Optimization,
    Variant,
)
from modelyard.builder.optimization.report import plots
from modelyard.builder.optimization.report.labels import LETTER, LINE, labels
from modelyard.builder.optimization.report.page import page
from modelyard.builder.optimization.report.svg import drawn
from modelyard.builder.optimization.report.tradeoff import in_bytes, panels, role

METRIC = Metric(name="accuracy", reason="the entry names it.", higher_is_better=True, rows=450)


def a_variant(name: str, speed: float = 1.0, size: int = 40_000, lost: float | None = 0.0, **more: Any) -> Variant:
    timing = {1: Latency(p50=1 / speed, p99=2 / speed, n=100, spread=0.01)}
    facts = {"latency": timing, "throughput": 100.0, "speedup": speed, "peak_memory": 70_000_000, "quality": 0.9}
    return Variant(name=name, precision="int8", size=size, quality_loss=lost, **{**facts, **more})


VARIANTS = (
    a_variant(ORIGINAL, pareto=True),
    a_variant("int8-static", 4.0, 11_000, 0.004, pareto=True, passes=("fold", "int8-static")),
    a_variant("beaten", 2.0, 39_000, 0.005),
    a_variant("flip", 4.1, 11_000, 0.9, refused="accuracy goes from 1 to 0.1: 90 % is lost, 1 % is allowed."),
    a_variant("crashing", latency={}, speedup=None, refused="while it was made, it crashed (SIGSEGV)."),
)


def a_report(variants: Sequence[Variant] = VARIANTS, chosen: str = "int8-static", **more: Any) -> Optimization:
    facts: dict[str, Any] = {
        "source": "digits:2", "digest": "sha256:00", "goal": "latency", "max_quality_loss": 0.01,
        "precisions": ("fp32", "int8"), "seed": 1, "budget_seconds": 600, "spent_seconds": 61, "metric": METRIC,
        "hardware": HardwareFacts(processor="A CPU", cores=2, flags=("avx512_vnni",)),
        "conditions": Conditions(rounds=11, quiet=True, other_load=0.01, versions={"onnxruntime": "1.31.1"}),
        "chosen": Chosen(name=chosen, reason="the best for latency.", speedup=4, quality_loss=0.004, size_ratio=0.27),
        "notes": ("A note to know.",), "program": "0.1.0", "created": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    return Optimization(variants=tuple(variants), **{**facts, **more})


SAID = (
    "Use <b>int8-static</b>: the best for latency.", "4.00×", "27% of the original", "A note to know.",
    "11 rounds in shuffled order", "accuracy on 450 rows", "avx512_vnni", "onnxruntime 1.31.1",
)  # fmt: skip


def test_the_page_needs_nothing_from_outside() -> None:
    text = page(a_report())

    assert re.findall(r"(?:src|href)=|@import|url\(|https?://|<script", text) == []


def test_the_page_says_what_to_use_what_it_brings_and_what_to_know() -> None:
    text = page(a_report())

    for words in SAID:
        assert words in text


def test_every_variant_has_a_row_and_every_refusal_its_reason() -> None:
    text = page(a_report())

    rows = re.findall(r'<tr class="(\w+)" title="([^"]*)"><td>([^<]*)</td>', text)
    assert [(kind, name) for kind, _, name in rows] == [
        ("chosen", "int8-static"),
        ("original", ORIGINAL),
        ("eligible", "beaten"),
        ("refused", "flip"),
        ("refused", "crashing"),
    ]
    verdicts = re.findall(r'<tr class="\w+" title="[^"]*"><td>[^<]*</td><td class="words">([^<]*)</td>', text)
    assert verdicts == ["chosen", "the original", "eligible", "refused", "refused"]
    assert rows[0][1] == "fold → int8-static"
    assert "while it was made, it crashed (SIGSEGV)." in text
    assert "90 % is lost" in text


def test_a_reason_is_no_wider_than_the_window_however_many_figures_there_are() -> None:
    """The last column of a wide table lies outside of it: a reason has a row of its own instead."""
    text = page(a_report())
    heads = len(re.findall(r"<th\b", text))

    reasons = re.findall(r'<tr class="reason"><td colspan="(\d+)"><div>([^<]*)</div></td></tr>', text)

    assert reasons == [(str(heads), variant.refused) for variant in VARIANTS[3:]]
    assert re.search(r"tr\.reason div {[^}]*max-width: min\([^}]*100vw[^}]*white-space: normal", text)


def test_names_and_reasons_are_text_and_never_markup() -> None:
    evil = a_variant("<script>alert(1)</script>", refused="<img src=x onerror=alert(1)>")

    text = page(a_report([*VARIANTS, evil], source="<b>bold</b>"))

    assert "<script" not in text
    assert "<img" not in text
    assert "<b>bold" not in text


def test_the_pictures_are_well_formed_and_tell_every_timed_variant() -> None:
    for panel in panels(a_report()):
        root = ElementTree.fromstring(drawn(panel))
        tips = [title.text or "" for title in root.iter("title")]
        assert sorted(tip.split(",")[0] for tip in tips) == ["beaten", "flip", "int8-static", ORIGINAL]


def test_a_loss_far_beyond_the_bound_is_shown_at_the_edge() -> None:
    quality = panels(a_report())[0]

    beyond = {point.name for point in quality.points if point.beyond}
    assert beyond == {"flip"}
    assert quality.bound == 1.0
    assert quality.y.place(90.0) == 1.0


def test_without_an_evaluation_set_only_size_is_shown() -> None:
    variants = [a_variant(ORIGINAL, lost=None, quality=None), a_variant("fused", 2.0, lost=None, quality=None)]

    report = a_report(variants, chosen="fused", metric=None)

    assert [panel.title for panel in panels(report)] == ["Latency and size"]
    assert "<td>fused</td>" in page(report)


def test_nothing_timed_gives_a_page_without_pictures(tmp_path: Path) -> None:
    report = a_report([a_variant(ORIGINAL, latency={}, speedup=None)], chosen=ORIGINAL)

    assert panels(report) == ()
    assert "<h2>All variants</h2>" in page(report)
    assert plots.write(report, tmp_path) == []


def test_the_choice_counts_more_than_the_front_and_a_refusal_more_than_both() -> None:
    report = a_report()

    assert [role(variant, report) for variant in VARIANTS] == ["original", "chosen", "eligible", "refused", "refused"]


def test_names_in_a_crowd_do_not_cover_each_other() -> None:
    crowd = [a_variant(f"variant-{n}", 4.0 + n / 100, 11_000, 0.004, pareto=True) for n in range(5)]

    panel = panels(a_report([VARIANTS[0], *crowd], chosen="variant-0"))[1]
    placed = [(label, len(label.text) * LETTER) for label in labels(panel, 470, 290)]

    assert len(placed) == 6
    for place, (one, width) in enumerate(placed):
        for other, other_width in placed[place + 1 :]:
            starts = [a.x * 470 - (0 if a.right else w) for a, w in ((one, width), (other, other_width))]
            beside = starts[0] + width < starts[1] + 1e-6 or starts[1] + other_width < starts[0] + 1e-6
            assert beside or abs(one.y - other.y) * 290 >= LINE - 1e-6


@pytest.mark.parametrize(("size", "said"), [(12, "12 B"), (41_338, "41.3 kB"), (90_312_020, "90.3 MB"), (2e9, "2 GB")])
def test_sizes_are_said_with_the_unit_that_fits(size: float, said: str) -> None:
    assert in_bytes(size) == said


def test_the_pictures_are_png_files(tmp_path: Path) -> None:
    written = plots.write(a_report(), tmp_path)

    assert [path.name for path in written] == ["trade-off.png", "latency.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
