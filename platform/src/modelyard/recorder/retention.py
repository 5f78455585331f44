"""Rows, counts and labels are kept as long as their Model says, and then their whole day goes.

What is left of Models that are gone, or that say nothing, is kept for the default time, as if it were theirs. Days are
those of the keys, in UTC: the day on which a prediction was answered, and of a label that on which it came. What
the evaluator knows of a revision goes with the last of its days; of one that is still asked it is written anew.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from modelyard.core.storage.monitoring_keys import FEEDBACK, MONITOR, day_of, is_evaluation, revision_prefix
from modelyard.core.storage.object_store import Store
from modelyard.errors import ModelyardError

DEFAULT_DAYS = 30
_log = logging.getLogger(__name__)


def expired(store: Store, prefix: str, today: date, days_of: Callable[[str, str], int]) -> Iterator[str]:
    """Keys below MONITOR or FEEDBACK of days that are over for longer than `days_of` namespace and name says.

    Raises what the store does.
    """
    kept = ""
    for stored in store.list(prefix):
        _, namespace, model, revision, *_ = [*stored.key.split("/"), "", "", ""]
        day = _parsed(day_of(stored.key))
        if day is not None and day + timedelta(days=days_of(namespace, model)) < today:
            yield stored.key
        elif day is not None:
            kept = revision_prefix(namespace, model, revision)
        elif is_evaluation(stored.key) and not stored.key.startswith(kept or "-"):
            yield stored.key


def sweep(store: Store, today: date, days_of: Callable[[str, str], int]) -> int:
    """Deletes what is expired; how many objects, all that could be reached of them."""
    gone = 0
    for prefix in (MONITOR, FEEDBACK):
        try:
            for key in list(expired(store, prefix, today, days_of)):
                store.delete(key)
                gone += 1
        except ModelyardError as bad:
            _log.warning("not swept", extra={"fields": {"below": prefix, "deleted": gone, "error": str(bad)}})
    if gone:
        _log.info("swept", extra={"fields": {"deleted": gone}})
    return gone


def _parsed(day: str) -> date | None:
    try:
        return date.fromisoformat(day)
    except ValueError:
        return None
