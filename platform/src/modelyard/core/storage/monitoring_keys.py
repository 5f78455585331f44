"""Where lies in the store what was seen of requests. Pure.

    monitor/<namespace>/<model>/<revision>/date=<YYYY-MM-DD>/<HHMM>-<writer>.rows.parquet      requests and answers
    monitor/<namespace>/<model>/<revision>/date=<YYYY-MM-DD>/<HHMM>-<writer>.counts.json       counts of the minute
    monitor/<namespace>/<model>/<revision>/detector.json                                       evidence so far
    monitor/<namespace>/<model>/<revision>/status.json                                         what is known, for people
    monitor/<namespace>/<model>/<revision>/profile.json                                        of its first days
    monitor/<namespace>/<model>/<revision>/feedback.json                                       beside its stable
    monitor/<namespace>/<model>/deleted/<moment>.json                                          tombstones
    feedback/<namespace>/<model>/date=<YYYY-MM-DD>/<name>.parquet                              labels, by their day

A minute is that in which the answer came, in UTC; `writer` is the process that saw it, so minutes of several are one
minute in several files.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from modelyard.core.names import sha256_hex

MONITOR = "monitor/"
FEEDBACK = "feedback/"
ROWS = ".rows.parquet"
COUNTS = ".counts.json"
_EVALUATIONS = frozenset({"detector.json", "feedback.json", "profile.json", "status.json"})


class MinuteKey(NamedTuple):
    """Whose minute, which (seconds since 1970, a multiple of 60), and who saw it."""

    namespace: str
    model: str
    revision: str
    minute: int
    writer: str

    def key(self, suffix: str) -> str:
        """In the store; `suffix` is ROWS or COUNTS."""
        moment = datetime.fromtimestamp(self.minute, UTC)
        return f"{day_prefix(self.namespace, self.model, self.revision, moment)}{moment:%H%M}-{self.writer}{suffix}"


def model_prefix(namespace: str, model: str) -> str:
    """Of everything that was seen of a Model."""
    return f"{MONITOR}{namespace}/{model}/"


def revision_prefix(namespace: str, model: str, revision: str) -> str:
    """Of everything that was seen of a revision."""
    return f"{model_prefix(namespace, model)}{revision}/"


def day_prefix(namespace: str, model: str, revision: str, moment: datetime) -> str:
    """Of a revision's day; `moment` in UTC."""
    return f"{revision_prefix(namespace, model, revision)}date={moment:%Y-%m-%d}/"


def hour_prefix(namespace: str, model: str, revision: str, moment: datetime) -> str:
    """Of the minutes of an hour of a revision; `moment` in UTC."""
    return f"{day_prefix(namespace, model, revision, moment)}{moment:%H}"


def detector_key(namespace: str, model: str, revision: str) -> str:
    """What the detector knows of a revision: written now and then, so that a restart goes on from there."""
    return f"{revision_prefix(namespace, model, revision)}detector.json"


def status_key(namespace: str, model: str, revision: str) -> str:
    """What is known of a revision, as `status.monitoring` has it; the evaluator replaces it."""
    return f"{revision_prefix(namespace, model, revision)}status.json"


def quality_key(namespace: str, model: str, revision: str, output: str) -> str:
    """What of a revision's first labels of an output its later ones are held against; each part is written once."""
    return f"{revision_prefix(namespace, model, revision)}quality-{sha256_hex(output)[:16]}.json"


def comparison_key(namespace: str, model: str, revision: str) -> str:
    """Labelled answers of a revision that is tried, beside those of its stable; the evaluator replaces it."""
    return f"{revision_prefix(namespace, model, revision)}feedback.json"


def learnt_profile_key(namespace: str, model: str, revision: str) -> str:
    """The reference that was made of a revision's first days; written once."""
    return f"{revision_prefix(namespace, model, revision)}profile.json"


def is_evaluation(key: str) -> bool:
    """Whether it is one of these; in the order of keys they come after the days of their revision."""
    parts = key.split("/")
    known = len(parts) == 5 and f"{parts[0]}/" == MONITOR
    return known and (parts[4] in _EVALUATIONS or parts[4].startswith("quality-"))


def minute_of(key: str) -> MinuteKey | None:
    """The reverse of `MinuteKey.key`; None for every other key."""
    parts = key.split("/")
    name, _, suffix = parts[-1].partition(".")
    if len(parts) != 6 or f"{parts[0]}/" != MONITOR or f".{suffix}" not in (ROWS, COUNTS):
        return None
    clock, _, writer = name.partition("-")
    try:
        moment = datetime.strptime(f"{parts[4]} {clock}", "date=%Y-%m-%d %H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    return MinuteKey(parts[1], parts[2], parts[3], int(moment.timestamp()), writer)


def day_of(key: str) -> str:
    """The day of a key, as 2026-11-29; empty when it has none."""
    for part in key.split("/"):
        if part.startswith("date="):
            return part.removeprefix("date=")
    return ""


def feedback_prefix(namespace: str, model: str) -> str:
    """Of all labels of a Model."""
    return f"{FEEDBACK}{namespace}/{model}/"


def feedback_key(namespace: str, model: str, day: str, name: str) -> str:
    """A file of labels of a day such as 2026-11-29."""
    return f"{feedback_prefix(namespace, model)}date={day}/{name}.parquet"
