"""Many rows in as many requests as the server's limit asks, several of them under way at once, order kept.

Rows of a batch do not depend on one another: whoever declares a largest batch promises that. A model that declares
none gets all rows in one request, unless the caller says how many to send.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from modelyard.clients.inference.predictions import Endpoint
from modelyard.errors import InvalidInput

from .steps import Session, Steps, answered, described, largest_batch
from .values import Given, given
from .wire.calls import Call, CallKind, InferenceAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

Progress = bool | Callable[[int, int], None] | None
"""A function called with (rows done, rows in all); True: a bar; None: a bar in notebooks; False: nothing."""


class Batch(NamedTuple):
    """What is to be asked: the rows as they were understood, and the requests that cover them, in order."""

    given: Given
    rows: int
    calls: Sequence[tuple[range, Call]]


def planned(session: Session, endpoint: Endpoint, values: Any, size: int | None, timeout: float | None) -> Steps[Batch]:
    """The requests for `values`, each of `size` rows at most; the server's limit when that is None."""
    if size is not None and size < 1:
        raise InvalidInput(f"batch_size={size} is none: give 1 or more, or leave it out.")
    description = yield from described(session, endpoint, timeout)
    understood = given(values, description)
    counts = {name: array.shape[0] for name, array in understood.arrays.items() if array.ndim}
    rows = max(counts.values(), default=1)
    limit = yield from largest_batch(session, endpoint, timeout)
    limit = min(size or limit or rows, limit or rows)
    different = [f"{name} has {count}" for name, count in counts.items() if count != rows]
    if rows > limit and (different or len(counts) < len(understood.arrays)):
        raise InvalidInput(f"every input needs the same number of rows, {rows}, but {', '.join(different)}.")
    if rows <= limit:
        return Batch(understood, rows, [(range(rows), Call(CallKind.INFER, endpoint, understood.arrays))])
    calls = []
    for start in range(0, rows, limit):
        part = range(start, min(start + limit, rows))
        arrays = {name: array[part.start : part.stop] for name, array in understood.arrays.items()}
        calls.append((part, Call(CallKind.INFER, endpoint, arrays)))
    return Batch(understood, rows, calls)


def part_answered(session: Session, part: range, call: Call, timeout: float | None) -> Steps[InferenceAnswer]:
    """The answer to one request; an error says as a note which rows it was about."""
    try:
        return (yield from answered(session, call, timeout))
    except Exception as bad:
        bad.add_note(f"in rows {part.start} to {part.stop - 1}")
        raise


def joined(batch: Batch, answers: Sequence[InferenceAnswer]) -> Any:
    """The parts' answers below one another, in the kind the rows came in."""
    if len(answers) == 1:
        return batch.given.written(answers[0].outputs)
    outputs = {}
    for name in answers[0].outputs:
        arrays = [answer.outputs[name] for answer in answers]
        lengths = [len(part) for part, _ in batch.calls]
        if [array.shape[:1] for array in arrays] != [(length,) for length in lengths]:
            shapes = " and ".join(str(list(array.shape)) for array in arrays[:2])
            raise InvalidInput(
                f"the parts' answers do not fit together: {name} has shapes {shapes} for {lengths[0]} rows each; "
                "send the rows with predict, as few at a time as the model takes."
            )
        if len({array.shape[1:] for array in arrays}) != 1:
            raise InvalidInput(
                f"the parts' answers have rows of different shapes in {name}: send each part with predict."
            )
        outputs[name] = np.concatenate(arrays)
    return batch.given.written(outputs)


@contextmanager
def told(progress: Progress, rows: int, model: str) -> Iterator[Callable[[int], object]]:
    """What to call with the number of rows that have just been answered."""
    if callable(progress):
        done = 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            progress(done, rows)

        yield count
        return
    hidden = not (in_notebook() if progress is None else progress)
    with _bar(total=rows, desc=model, unit="row", disable=hidden) as bar:
        yield lambda more: bar.update(more)


def in_notebook() -> bool:
    """Whether this runs in a notebook's kernel."""
    try:
        shell: Any = __import__("IPython").get_ipython()
    except (ImportError, AttributeError):
        return False
    return shell is not None and "IPKernelApp" in shell.config


def _bar(**options: Any) -> Any:
    """A widget in notebooks that can show one, else a line of text."""
    if in_notebook() and find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm
    return tqdm(**options)
