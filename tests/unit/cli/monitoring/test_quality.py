"""What `modelyard quality` says of what was measured."""

from modelyard.cli.monitoring import quality
from modelyard.core.monitoring.alarms import Alarm, Clock
from modelyard.core.monitoring.performance.decay import DECAY, DecayFinding, QualityQuestion
from modelyard.records.feedback.measures import Measure
from modelyard.records.feedback.performance import ModelQuality, RevisionQuality

ALARM = Alarm(Clock.DAY, DECAY, "wrong", 1, 29_000_000, 29_001_000, 29_001_000, 30, 100, 0.05)
WRONG = QualityQuestion("", "wrong", 50, 1000)
ACCURACY, FEW = Measure("accuracy", 0.9123456789, 0.9, 0.92, 500), Measure("auc", None, None, None, 8)
FOUND = ModelQuality(
    revisions=[
        RevisionQuality(
            "loans-1", "p", "class", 500, {"": [ACCURACY], "sex=f": [FEW]}, {"2026-11-29": [ACCURACY]},
            [DecayFinding(WRONG, ALARM, 900, 90), DecayFinding(WRONG._replace(slice="sex=f"), None, 8, 1)],
            {"accuracy": 0.9}, 0,
        ),
        RevisionQuality("loans-2", "p", "class", 4, {"": [FEW]}, {}, [], {}, 496),
    ],
    labels=520, unknown=3, unfit=2, repeated=1, contradicting=4, unkept=["age"],
)  # fmt: skip


def test_a_line_tells_of_what_how_good_how_sure_and_since_when_it_decayed() -> None:
    lines = [line for one in FOUND.revisions for line in quality._lines(one, by_day=False)]
    decayed = "since 2025-02-19 21:20Z: 30% of the answers are wrong; of the reference 5%"
    assert lines == [
        ["loans-1", "all (p)", "accuracy", "0.9123", "0.9 to 0.92", "500", decayed],
        ["loans-1", "sex=f", "auc", "none", "too few", "8", ""],
        ["loans-1", "last day (p)", "accuracy, estimated", "0.9", "", "without labels", ""],
        ["loans-2", "all (p)", "auc", "none", "too few", "8", ""],
    ]
    assert ["loans-1", "2026-11-29", "accuracy", "0.9123", "0.9 to 0.92", "500", ""] in list(
        quality._lines(FOUND.revisions[0], by_day=True)
    )


def test_labels_that_say_nothing_are_counted_in_words() -> None:
    notes = list(quality._notes(FOUND))
    assert [note.split()[0] for note in notes] == ["3", "2", "1", "4", "no", "What", "loans-2,"]
    assert "496 labels more" in notes[-1]


def test_scripts_get_the_same() -> None:
    told = quality.document(FOUND)
    first = told["revisions"][0]
    assert first["slices"]["all"] == [
        {"measure": "accuracy", "labels": 500, "value": 0.912346, "low": 0.9, "high": 0.92}
    ]
    assert [one["decayed"] for one in first["decays"]] == [True, False]
    assert first["decays"][0]["since"] == "2025-02-19 21:20Z"
    assert (told["unknown"], first["estimated"]) == (3, {"accuracy": 0.9})


def test_why_there_is_nothing_to_judge() -> None:
    def why(labels: int, unknown: int, unfit: int) -> str:
        return quality._nothing("demo", "loans", 30, ModelQuality([], labels, unknown, unfit, 0, 0, []))

    assert "no label of demo/loans came" in why(0, 0, 0)
    assert "none of the 5 labels is of a recorded request" in why(5, 5, 0)
    assert "keeps the output" in why(5, 2, 3)
