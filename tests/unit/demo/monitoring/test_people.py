"""Who asks in the demo: the same people for a seed, requests of so many rows, for ever."""

from itertools import islice

import numpy as np
import pytest

from demo.monitoring.people import CENSUS, batches

ROWS = 4


@pytest.mark.parametrize("module", ["synthetic", "later"])
def test_a_seed_gives_the_same_requests_and_they_never_end(module: str) -> None:
    once, again = (list(islice(batches(module, ROWS, 7), 1001)) for _ in range(2))

    assert {batch.rows.shape for batch in once} == {(ROWS, 10)}
    assert once[0].rows.dtype == np.float32
    np.testing.assert_array_equal([batch.rows for batch in once], [batch.rows for batch in again])
    assert not np.array_equal(once[0].rows, once[1000].rows)


def test_later_people_are_others_than_those_of_the_evaluation_set() -> None:
    with np.load(CENSUS / "1" / "eval.npz") as kept:
        known = kept["labels"].mean()
    later = np.concatenate([batch.truth for batch in islice(batches("later", ROWS, 2), 500)])

    assert later.mean() > known + 0.1
