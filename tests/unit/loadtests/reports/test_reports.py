"""The page of a load test, and two of them beside each other."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from loadtests.arrivals import Curve, Piece
from loadtests.recording import Recording, Row
from loadtests.reports.comparing import compare, read_report, text
from loadtests.reports.page import page
from loadtests.reports.plots import ticks
from loadtests.reports.report import report
from modelyard.errors import InvalidSettings
from tests.unit.loadtests.test_judging import BEGAN, judged, options


def a_report(factor: float = 1.0, bad: int = 0, revisions: tuple[str, ...] = ("digits-1", "digits-2")) -> dict:
    recording = Recording(10_000)
    recording.starts.append(float(BEGAN))
    for index in range(3000):
        took = factor * (5.0 + index * 7 % 100 / 10.0)
        row = Row(index / 50.0, index % 3, took, 0.0, 0.0, index % 100 < bad, revisions[index % len(revisions)])
        recording.add(row, "HTTP 500" if row.failed else "")
    given = options(revision="", binary_share=0.25, arrivals=Curve([Piece(30, 50, 50), Piece(30, 50, 50)]))
    return json.loads(json.dumps(report(recording, judged(recording, given), given, "2027-01-15T08:00:00+00:00")))


def test_a_report_says_what_each_revision_and_each_protocol_did() -> None:
    found = a_report(bad=2)

    assert set(found["latency"]) == {"all", "http", "binary", "grpc"}
    assert {name: one["requests"] for name, one in found["byRevision"].items()} == {"digits-1": 1500, "digits-2": 1500}
    assert sum(one["failed"] for one in found["byRevision"].values()) == found["failed"] == 60
    assert sum(count for _, count in found["histogram"]) == 3000


def test_a_page_needs_no_other_file_and_has_a_picture_of_everything() -> None:
    written = page(a_report(bad=2))

    assert re.findall(r"https?://|src=|<link|<script", written) == []
    pictures = re.findall(r"<svg.*?</svg>", written, re.DOTALL)
    titles = {ElementTree.fromstring(picture).attrib["aria-label"] for picture in pictures}
    assert titles == {"Latency over time", "Percentiles", "Requests and errors per second", "p99 by revision"}
    assert sum('<line class="bound"' in picture for picture in pictures) == 3
    assert all(name in written for name in ("digits-1", "digits-2", "objective at p99", "not kept"))


def test_a_page_shows_names_of_others_as_text() -> None:
    assert "<b>" not in page(a_report(revisions=("<b>bold</b>",)))


@pytest.mark.parametrize(("most", "top"), [(0.0, 1.0), (0.7, 0.8), (1.0, 1.0), (11.0, 15.0), (420.0, 500.0)])
def test_an_axis_ends_with_a_round_number(most: float, top: float) -> None:
    assert ticks(most).places[-1] == pytest.approx(top)


def test_two_tests_differ_where_it_is_sure(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(a_report()))
    before, after = read_report(tmp_path / "a.json"), a_report(1.5, bad=3)

    rows = {row["name"]: row for row in compare(before, after)}

    assert rows["p50 ms"]["ratio"] == pytest.approx(1.5, rel=0.01)
    assert {name for name, row in rows.items() if row["sure"]} == {
        *(f"p{one} ms" for one in (50, 90, 95, 99, 99.9)),
        "failed",
    }
    assert not any(row["sure"] for row in compare(before, before))
    assert rows["failed"]["ratio"] is None
    assert "differs" in text(list(rows.values()), "a", "b")


@pytest.mark.parametrize("content", ["", "no JSON", "[]", "{}", '{"histogram": [], "requests": 0}', '{"histogram": 3}'])
def test_what_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    if content:
        (tmp_path / "a.json").write_text(content)

    with pytest.raises(InvalidSettings, match=r"a\.json"):
        read_report(tmp_path / "a.json")
