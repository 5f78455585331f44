"""A loop in a thread of its own: it runs from `start` to `stop`, and ends when it is waited for."""

from modelyard.background_thread import BackgroundThread


class Counting(BackgroundThread):
    def __init__(self) -> None:
        super().__init__("counting")
        self.turns = 0

    def _run(self) -> None:
        while not self._stop.wait(0.001):
            self.turns += 1


def test_it_is_alive_from_start_to_stop() -> None:
    counting = Counting()
    before = counting.alive
    counting.start()
    begun = counting.alive

    counting.stop(patience=10.0)

    assert (before, begun, counting.alive) == (False, True, False)


def test_one_that_never_began_can_be_stopped() -> None:
    counting = Counting()
    counting.stop(patience=10.0)

    assert (counting.alive, counting.turns) == (False, 0)
