"""How far apart two answers to the same request are, output by output.

Floating-point values agree when |a - b| <= absolute + relative |a|, a being the stable's; a NaN or an infinity agrees
with its like alone. Everything else agrees when it is equal. A missing output, another shape and another datatype
are disagreements, each said in words. Outputs that look like scores of classes (2 to 1,000 floating-point values in
the last dimension) are also compared by which is the largest, because that is what their users read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelyard.api.rollout import Tolerance

if TYPE_CHECKING:
    import numpy as np

CLASSES = range(2, 1001)


@dataclass(frozen=True)
class Difference:
    """Of one output in one pair of answers: largest differences (0 where there are no numbers), rows of scores and
    how many of them have the same largest, and `why` it is out of tolerance (empty when it is not)."""

    absolute: float = 0.0
    relative: float = 0.0
    scored: int = 0
    same_top: int = 0
    why: str = ""


def differences(
    stable: Mapping[str, np.ndarray], candidate: Mapping[str, np.ndarray], tolerance: Tolerance
) -> dict[str, Difference]:
    """The difference of every output of either answer, by its name; arrays of any shape and datatype."""
    result = {}
    for name in sorted({*stable, *candidate}):
        if name not in candidate:
            result[name] = Difference(why=f"{name} is missing in the candidate's answer")
        elif name not in stable:
            result[name] = Difference(why=f"{name} is in the candidate's answer alone")
        else:
            result[name] = difference(name, stable[name], candidate[name], tolerance)
    return result


def difference(name: str, stable: np.ndarray, candidate: np.ndarray, tolerance: Tolerance) -> Difference:
    """The difference of one output, named `name`, in a pair of answers."""
    import numpy as np

    if stable.shape != candidate.shape:
        return Difference(why=f"{name} has shape {list(candidate.shape)} instead of {list(stable.shape)}")
    if stable.dtype != candidate.dtype:
        return Difference(why=f"{name} holds {candidate.dtype} instead of {stable.dtype}")
    if stable.dtype.kind != "f":
        unequal = int(np.count_nonzero(stable != candidate))
        return Difference(why=f"{unequal} of {stable.size} values of {name} are not equal" if unequal else "")
    return _numbers(name, stable.astype(np.float64), candidate.astype(np.float64), tolerance)


def _numbers(name: str, a: np.ndarray, b: np.ndarray, tolerance: Tolerance) -> Difference:
    import numpy as np

    finite = np.isfinite(a) & np.isfinite(b)
    alike = (np.isnan(a) & np.isnan(b)) | (a == b)
    odd = int(np.count_nonzero(~finite & ~alike))
    size = np.abs(np.where(finite, a, 0.0))
    gap = np.abs(np.where(finite, a, 0.0) - np.where(finite, b, 0.0))
    absolute = float(gap.max(initial=0.0))
    relative = float(np.divide(gap, size, where=size > 0, out=np.zeros_like(a)).max(initial=0.0))
    scored, same_top = _tops(a, b)
    why = ""
    if odd:
        why = f"{odd} of {a.size} values of {name} are NaN or infinite in one answer alone"
    elif bool((gap > tolerance.absolute + tolerance.relative * size).any()):
        why = f"{name} differs by up to {absolute:.3g}"
    return Difference(absolute, relative, scored, same_top, why)


def _tops(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    """Rows of scores, and how many have the same largest."""
    if a.ndim == 0 or a.shape[-1] not in CLASSES:
        return 0, 0
    stable_rows, candidate_rows = a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1])
    return len(stable_rows), int((stable_rows.argmax(axis=1) == candidate_rows.argmax(axis=1)).sum())
