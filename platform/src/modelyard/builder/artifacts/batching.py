"""Whether rows of a batch influence one another, by evidence: a declared batch dimension is none.

    the batch size kept, the neighbour changed    row 0 of [a, b] must equal row 0 of [a, c]: the same kernels ran, so
                                                  any difference is the neighbour's doing
    one row alone, and the same row of two        other kernels run, so they may differ by rounding, which some
                                                  models amplify: the tolerance grows with how much this model does
    one row alone, and the same row of as many    a graph may count its rows, or have room for so many: the first and
    as are served at once                         the last rows must be there and be those of the rows alone

How much a model amplifies is measured by running it again with its inputs, and its weights where they can be had,
changed in the last bits. Inputs on which that alone moves an answer by a tenth of its range prove nothing and are
passed over; when all are like that, rows are not run together.
"""

from collections.abc import Callable, Sequence
from typing import Any

from modelyard.builder.evaluation.evaluation_set import Feed, Run, close
from modelyard.builder.inspection.runtime_messages import onnxruntime_message
from modelyard.core.failure_causes import blamed, cause_of_exception

LAST_BITS = 2.0**-22
"""The relative change that stands for rounding: two units in the last place of float32."""
_NEIGHBOUR, _SHARE, _ROUNDING, _TELLING = 1e-6, 1e-4, 32.0, 0.1
_SEEDS = (1, 2, 3)
_MOST_ELEMENTS = 1 << 20
"""Numbers of a batch beyond which it is not tried: large pictures would take memory and minutes."""


def against_batching(
    run: Run, rows: Sequence[Feed], perturbed: Callable[[int], Run | None], most: int = 0
) -> str | None:
    """Why rows must not be run together, or None when they may.

    `rows` are inputs of one row each that the model accepts; `perturbed` gives the model with other last bits in its
    weights, drawn from a seed, or None where that cannot be had. `most` is how many rows are served at once, 0 where
    they are too many to be tried.
    """
    rows = _different(run, rows)
    alone = [run(row) for row in rows]
    for name, value in alone[0].items():
        if value.ndim == 0 or value.shape[0] != 1:
            return f"output {name!r} gives {list(value.shape)} for one row, not one row"
    if len(rows) < 3:
        return "no three different inputs are known; an eval.npz with three rows would tell whether rows meet"
    try:
        pairs = [run(_joined(rows[0], other)) for other in rows[1:]]
        behind = [run(_joined(other, rows[0])) for other in rows[1:]]
    except Exception as bad:  # noqa: BLE001 - onnxruntime's exceptions share no base class
        raise_if_of_the_machine(bad)
        return f"two rows together fail: {onnxruntime_message(bad)}"
    for name, value in pairs[0].items():
        if value.ndim == 0 or any(pair[name].shape[:1] != (2,) for pair in (*pairs, *behind)):
            return f"output {name!r} gives {list(value.shape)} for two rows together, not two rows"
        for found, place in ((pairs, 0), (behind, 1)):
            row = slice(place, place + 1)
            if any(not _same(pair[name][row], found[0][name][row]) for pair in found[1:]):
                return f"output {name!r} of a row depends on the row beside it"
    together = [{name: value[:1] for name, value in pairs[0].items()}]
    together += [{name: value[1:] for name, value in pair.items()} for pair in pairs]
    apart = list(zip(rows, alone, strict=True))
    beyond = _beyond_rounding(run, [(*pair, joint) for pair, joint in zip(apart, together, strict=True)], perturbed)
    return beyond or (_against_many(run, apart, perturbed, most) if most > len(rows) else None)


def _against_many(
    run: Run, apart: Sequence[tuple[Feed, Feed]], perturbed: Callable[[int], Run | None], most: int
) -> str | None:
    """Why `most` rows must not be run together, or None; `apart` are rows with their answers alone."""
    import numpy as np

    if most * sum(value.size for value in apart[0][0].values()) > _MOST_ELEMENTS:
        return None
    places = [place % len(apart) for place in range(most)]
    feed = {name: np.concatenate([apart[place][0][name] for place in places]) for name in apart[0][0]}
    try:
        found = run(feed)
    except Exception as bad:  # noqa: BLE001 - onnxruntime's exceptions share no base class
        raise_if_of_the_machine(bad)
        return f"{most} rows together fail: {onnxruntime_message(bad)}"
    for name, value in found.items():
        if value.shape[:1] != (most,):
            return f"output {name!r} gives {list(value.shape)} for {most} rows together, not {most} rows"
    ends = (*range(len(apart)), *range(most - len(apart), most))
    joint = [(*apart[places[end]], {name: value[end : end + 1] for name, value in found.items()}) for end in ends]
    return _beyond_rounding(run, joint, perturbed, f"{most} rows")


def raise_if_of_the_machine(bad: Exception) -> None:
    """Raises HostFailure when `bad` is for want of memory or the like, which says nothing of the model."""
    if cause_of_exception(bad) is not None:
        raise blamed(bad, onnxruntime_message(bad)) from bad


def _beyond_rounding(
    run: Run,
    answers: Sequence[tuple[Feed, Feed, Feed]],
    perturbed: Callable[[int], Run | None],
    many: str = "two rows",
) -> str | None:
    """Why answers to (row, alone, together) differ by more than rounding; None when they do not."""
    off = [item for item in answers if any(not close(item[2][name], value) for name, value in item[1].items())]
    telling = len(answers) - len(off)
    for row, alone, together in off:
        moved = _moved(run, row, alone, perturbed)
        for name, value in alone.items():
            if close(together[name], value):
                continue
            if together[name].shape != value.shape or _exceeds(together[name], value, moved[name]):
                return f"output {name!r} of {many} together differs from the rows alone"
        telling += all(_tells(value, moved[name]) for name, value in alone.items())
    if not telling:
        return "the last bits of an input change its answers as much as batching, so nothing shows that rows are apart"
    return None


def _moved(run: Run, row: Feed, alone: Feed, perturbed: Callable[[int], Run | None]) -> dict[str, Any]:
    """By output, how far each element moved when the last bits of the row and of the weights were changed."""
    import numpy as np

    moved = {name: np.zeros(value.shape) for name, value in alone.items()}
    for seed in _SEEDS:
        others = [run(_nudged(row, seed)), *(other(row) for other in [perturbed(seed)] if other is not None)]
        for other in others:
            for name, value in alone.items():
                if other[name].shape == value.shape:
                    moved[name] = np.maximum(moved[name], _distance(other[name], value))
    return moved


def _exceeds(together: Any, alone: Any, moved: Any) -> bool:
    import numpy as np

    distance = _distance(together, alone)
    if alone.dtype.kind != "f":
        return bool((distance > moved).any())
    largest = float(np.nanmax(np.abs(alone), initial=0.0))
    allowed = _SHARE * largest + 1e-5 + _ROUNDING * float(np.nanmax(moved, initial=0.0))
    return bool((distance > allowed).any())


def _tells(alone: Any, moved: Any) -> bool:
    """Whether an answer stands still enough to show anything."""
    import numpy as np

    if alone.dtype.kind != "f":
        return not moved.any()
    largest = float(np.nanmax(np.abs(alone), initial=0.0))
    return _ROUNDING * float(np.nanmax(moved, initial=0.0)) <= _TELLING * largest


def _distance(a: Any, b: Any) -> Any:
    """|a - b| by element, 1 where what is no float differs; NaN is where NaN is, infinity where infinity is."""
    import numpy as np

    if b.dtype.kind != "f":
        return (a != b).astype(float)
    wide = np.asarray(a, np.float64), np.asarray(b, np.float64)
    alike = (wide[0] == wide[1]) | (np.isnan(wide[0]) & np.isnan(wide[1]))
    with np.errstate(invalid="ignore"):
        return np.where(alike, 0.0, np.nan_to_num(np.abs(wide[0] - wide[1]), nan=np.inf))


def _same(a: Any, b: Any) -> bool:
    import numpy as np

    if a.shape != b.shape:
        return False
    finite = np.abs(b[np.isfinite(b)]) if b.dtype.kind == "f" else np.zeros(0)
    return bool((_distance(a, b) <= _NEIGHBOUR * float(finite.max(initial=0.0))).all())


def _joined(first: Feed, second: Feed) -> Feed:
    import numpy as np

    return {name: np.concatenate([value, second[name]]) for name, value in first.items()}


def _different(run: Run, rows: Sequence[Feed]) -> list[Feed]:
    """The rows that differ from one another, and where there are fewer than three of them, variations that run."""
    chosen: list[Feed] = []
    for row in (*rows, *(_varied(rows[0], seed) for seed in _SEEDS)):
        if any(_equal(row, other) for other in chosen) or (len(chosen) >= 3 and not any(row is r for r in rows)):
            continue
        try:
            run(row)
        except Exception as bad:  # noqa: BLE001 - onnxruntime's exceptions share no base class
            raise_if_of_the_machine(bad)
            continue
        chosen.append(row)
    return chosen


def _equal(first: Feed, second: Feed) -> bool:
    import numpy as np

    return all(np.array_equal(value, second[name]) for name, value in first.items())


def _varied(row: Feed, seed: int) -> Feed:
    """Another row of about the same numbers: floats change by a third, what is no float changes places."""
    import numpy as np

    random = np.random.default_rng(seed)
    return {name: _other_values(random, value) for name, value in row.items()}


def _other_values(random: Any, value: Any) -> Any:
    import numpy as np

    if value.dtype.kind == "f":
        third, tenth = random.normal(size=value.shape) / 3, random.normal(size=value.shape) / 10
        return (value * (1 + third) + tenth).astype(value.dtype)
    moved = random.permutation(value.reshape(-1)).reshape(value.shape)
    if value.dtype.kind in "iub" and (moved == value).all():
        return random.integers(0, 2, value.shape).astype(value.dtype)
    if value.dtype == object and (moved == value).all():
        return np.array([f"{word} {random.integers(100)}" for word in value.ravel()], object).reshape(value.shape)
    return moved


def _nudged(row: Feed, seed: int) -> Feed:
    import numpy as np

    random = np.random.default_rng(seed)
    return {name: nudged(random, value) for name, value in row.items()}


def nudged(random: Any, value: Any) -> Any:
    """An array whose floats are changed in their last bits, up or down by a draw; anything else as it is."""
    import numpy as np

    if value.dtype.kind != "f":
        return value
    bits = max(LAST_BITS, 2 * float(np.finfo(value.dtype).eps))
    return (value * (1 + bits * random.choice([-1.0, 1.0], value.shape))).astype(value.dtype)
