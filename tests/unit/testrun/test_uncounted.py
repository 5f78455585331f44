"""Lines are counted where that proves something, and nowhere else: it makes Python two or three times as slow."""

import sys
import threading


def _counter() -> str:
    return type(sys.gettrace()).__module__


def test_tests_of_other_rooms_than_core_and_api_run_uncounted_in_all_their_threads() -> None:
    seen = [_counter()]
    thread = threading.Thread(target=lambda: seen.append(_counter()))
    thread.start()
    thread.join()

    assert [module for module in seen if "coverage" in module] == []
