"""The reference of a revision whose build has none: what the rows of its first days were like.

Made once, when those days are over, of the columns that `log.columns` keeps, and written beside what else is known of
the revision. It is never made again: one that moved with the rows would follow what it is to find.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from modelyard.api.monitoring.profile import FeatureRole, ReferenceProfile
from modelyard.core.storage.monitoring_keys import ROWS, learnt_profile_key, minute_of, revision_prefix
from modelyard.core.storage.object_store import Store
from modelyard.errors import InvalidInput

from .columns import belongs
from .features import CONFIDENCE, output_features
from .feedback.judged_rows import outputs_in
from .parquet import from_parquet
from .reference import ReferenceColumn, profile_of
from .values import column

DAY = 1440
SETTLED_MINUTES = 10
"""After the last day, until every recorder has written its rows."""
MOST_FILES, MOST_ROWS = 2_000, 50_000
"""What the reference is made of at most, spread evenly over the days."""
_INPUT, _OUTPUT = "input.", "output."


class FirstRows(NamedTuple):
    """When a revision's first row was recorded (minute since the epoch; None before that), and files of its first days.

    `left` are the minutes until those days are over; 0 when they are.
    """

    first: int | None
    left: int
    files: Sequence[str]


def learnt_profile(store: Store, place: tuple[str, str, str]) -> ReferenceProfile | None:
    """The reference that was made of a revision's first days; None before, or when it cannot be read.

    `place` is namespace, model and revision. Raises what the store raises.
    """
    content = store.get(learnt_profile_key(*place))
    try:
        return None if content is None else ReferenceProfile.model_validate_json(content)
    except ValidationError:
        return None


def first_rows(store: Store, place: tuple[str, str, str], days: int, now: int) -> FirstRows:
    """How far a revision's first days have come at the minute `now`. Raises what the store raises."""
    first: int | None = None
    files: list[str] = []
    for stored in store.list(revision_prefix(*place)):
        found = minute_of(stored.key) if stored.key.endswith(ROWS) else None
        if found is None:
            continue
        minute = found.minute // 60
        first = minute if first is None else first
        if minute >= first + days * DAY or now < first + days * DAY + SETTLED_MINUTES:
            break
        files.append(stored.key)
    if first is None:
        return FirstRows(None, days * DAY, ())
    return FirstRows(first, max(0, first + days * DAY + SETTLED_MINUTES - now), files)


def profile_of_rows(store: Store, files: Sequence[str], hidden: Sequence[str], source: str) -> ReferenceProfile:
    """The profile of recorded rows, called `source`; columns in `hidden` are hashes, and left out.

    Raises what the store raises, and InvalidInput when there is nothing to watch.
    """
    contents = [content for key in _spread(files, MOST_FILES) if (content := store.get(key)) is not None]
    table = from_parquet(contents, lambda name: name.startswith((_INPUT, _OUTPUT)) and not _hidden(name, hidden))
    rows = len(next(iter(table.values()))) if table else 0
    kept = np.array(_spread(range(rows), MOST_ROWS), int)
    columns = _columns({name: values[kept] for name, values in table.items()}, len(kept))
    if not columns:
        raise InvalidInput(f"{source} have no column that is kept: name some in spec.monitoring.log.columns.")
    return profile_of(columns, source)


def _columns(table: Mapping[str, Any], rows: int) -> list[ReferenceColumn]:
    """Answers first, and of those that name a class, which and how surely."""
    answers: dict[str, Any] = {}
    for base, names in outputs_in([name for name in table if name.startswith(_OUTPUT)]).items():
        if len(names) > 1 and all(np.ma.getdata(table[name]).dtype.kind == "f" for name in names):
            wide = np.stack([np.ma.filled(table[name].astype(np.float64), np.nan) for name in names], axis=1)
            answers |= output_features({base: wide}, rows)
        else:
            answers |= {name.removeprefix(_OUTPUT): table[name] for name in names}
    wanted: list[tuple[str, Any, FeatureRole]] = [
        *((name, values, "confidence" if name.endswith(CONFIDENCE) else "output") for name, values in answers.items()),
        *((name.removeprefix(_INPUT), table[name], "input") for name in table if name.startswith(_INPUT)),
    ]
    return [ReferenceColumn(column(name, values), role, name) for name, values, role in wanted]


def _hidden(name: str, hidden: Sequence[str]) -> bool:
    return belongs(name.removeprefix(_INPUT).removeprefix(_OUTPUT), hidden)


def _spread(many: Sequence[Any], most: int) -> list[Any]:
    """At most so many of them, evenly spread."""
    step = max(1, -(-len(many) // most))
    return list(many[::step])
