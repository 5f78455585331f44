"""The recorded rows of certain requests, by revision: what a label is joined with."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from modelyard.core.storage.monitoring_keys import minute_of
from modelyard.core.storage.object_store import Store
from modelyard.records.parquet import from_parquet
from modelyard.records.recorded import files_of

MARKS = ("request_id", "row", "time", "share")
_THREADS = 16


def answers(
    store: Store,
    namespace: str,
    model: str,
    first_day: str,
    wanted: Callable[[str], bool],
    request_ids: Collection[str] | None = None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(revision, columns) of the rows since a day, all or those of certain requests; `wanted` columns beside MARKS.

    Raises what the store raises.
    """
    keys: dict[str, list[str]] = defaultdict(list)
    for key in files_of(store, namespace, model, first_day):
        minute = minute_of(key)
        keys[minute.revision if minute else ""].append(key)
    for revision, files in keys.items():
        with ThreadPoolExecutor(_THREADS) as pool:
            contents = [content for content in pool.map(store.get, files) if content is not None]
        table = from_parquet(contents, lambda name: name in MARKS or wanted(name), request_ids)
        if table and len(table["request_id"]):
            yield revision, table


def known_rows(
    store: Store, namespace: str, model: str, first_day: str, request_ids: Collection[str]
) -> set[tuple[str, int]]:
    """Which of these requests are recorded: request id and row."""
    found = answers(store, namespace, model, first_day, lambda _: False, request_ids)
    return {
        (str(request), int(row))
        for _, table in found
        for request, row in zip(table["request_id"], table["row"], strict=True)
    }
