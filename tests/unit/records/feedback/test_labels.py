from collections.abc import Iterator
from itertools import permutations

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.core.storage.monitoring_keys import feedback_key
from modelyard.core.storage.object_store import Stored
from modelyard.records.feedback.labels import label_files, labels_of, read_labels, settled, to_file


class Bucket:
    """A store in memory, of which a file may be gone between its listing and its reading."""

    def __init__(self, objects: dict[str, bytes | None]) -> None:
        self.objects = objects

    def list(self, prefix: str) -> Iterator[Stored]:
        return iter([Stored(key, 1) for key in sorted(self.objects) if key.startswith(prefix)])

    def get(self, key: str) -> bytes | None:
        return self.objects[key]


FIRST = AnswerLabel("r1", 0, "", "1", 10.0, 10.0)
OTHER = AnswerLabel("r1", 0, "kind", "cat", 12.0, 12.0)


def test_a_file_holds_what_was_written() -> None:
    key = feedback_key("demo", "loans", "2026-11-29", "a")
    old, gone = feedback_key("demo", "loans", "2026-11-28", "a"), feedback_key("demo", "loans", "2026-11-29", "b")
    bucket = Bucket(
        {key: to_file([FIRST, OTHER]), old: b"", gone: None, f"{key}.part": b"", "feedback/demo/loans2/": b""}
    )
    found = list(label_files(bucket, "demo", "loans", "2026-11-29"))  # pyright: ignore
    assert found == [key, gone]
    assert read_labels(bucket, found) == [FIRST, OTHER]  # pyright: ignore
    assert labels_of({}) == []


def test_a_label_that_comes_again_changes_nothing() -> None:
    again = FIRST._replace(time=11.0, told=11.0)
    for order in permutations([FIRST, again, FIRST, OTHER]):
        assert settled(order) == ({("r1", 0, ""): FIRST, ("r1", 0, "kind"): OTHER}, 2, 0)


def test_of_contradicting_labels_that_counts_which_was_known_last_whatever_order_they_come_in() -> None:
    corrected = FIRST._replace(label="0", time=20.0, told=20.0)
    late_news_of_old = FIRST._replace(label="2", time=5.0, told=30.0)
    for order in permutations([FIRST, corrected, late_news_of_old]):
        assert settled(order) == ({("r1", 0, ""): corrected}, 0, 2)


def test_of_one_time_that_counts_which_came_last() -> None:
    assert settled([FIRST, FIRST._replace(label="0")]).labels[("r1", 0, "")].label == "0"
    assert settled([FIRST._replace(label="0", told=11.0), FIRST]).labels[("r1", 0, "")].label == "0"
