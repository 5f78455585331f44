"""A recording keeps every answer to the bit it was measured to, within bounds, and adds up over processes."""

import json
import math

import pytest

from loadtests.recording import Recording, Row, percentile

ROW = Row(17.125, 1, 12.25, 0.5, 0.25, True, "digits-2")


def test_a_row_comes_back_as_it_was_recorded() -> None:
    recording = Recording(10)
    recording.add(ROW, "gRPC INTERNAL")

    assert list(recording.rows()) == [ROW]
    assert recording.reasons == {"gRPC INTERNAL": 1}


def test_no_more_rows_are_kept_than_there_may_be() -> None:
    recording = Recording(2)
    for _ in range(5):
        recording.add(ROW, "HTTP 500")

    assert len(recording) == 2
    assert recording.full
    assert recording.reasons["HTTP 500"] == 2


def test_what_workers_drain_adds_up_and_is_sent_once() -> None:
    worker, master = Recording(10), Recording(10)
    worker.add(ROW, "HTTP 500")
    worker.strangers["digits-1"] += 1
    worker.starts.append(5.0)
    worker.lags.append(3.0)
    worker.cores.append(0.5)
    worker.owed.append(60.0)
    worker.resting = 4

    master.take_in(json.loads(json.dumps(worker.drained())))
    master.take_in(json.loads(json.dumps(worker.drained())))

    assert list(master.rows()) == [ROW]
    assert (master.reasons, master.strangers) == ({"HTTP 500": 1}, {"digits-1": 1})
    assert (master.starts, master.lags, master.cores, master.owed) == ([5.0], [3.0], [0.5], [60.0])
    assert master.resting == 4


def test_a_load_began_when_the_first_process_did() -> None:
    recording = Recording(10)
    assert math.isinf(recording.began())

    recording.starts += [104.0, 100.0, 200.0]

    assert recording.began() == 100.0


@pytest.mark.parametrize(("percent", "value"), [(50, 2.0), (75, 3.0), (76, 4.0), (99.9, 4.0), (1, 1.0)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, value: float) -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], percent) == value


def test_a_percentile_of_nothing_is_zero() -> None:
    assert percentile([], 99) == 0.0
