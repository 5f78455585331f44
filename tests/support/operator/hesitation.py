"""A world that hesitates: what is asked of the API server while an operator works comes late now and then.

Tests share a process with the operator, so between two of their lines nearly nothing happens, and one that reads a
state that is not there yet, or gone already, passes. MODELYARD_HESITATION=1 lets the test itself wait for up to
1.5 s at every fifth of its requests, and the operator for up to 0.5 s at every tenth: the others do more meanwhile.
"""

import random
import threading
import time
from typing import Any

from kubernetes.client.rest import RESTClientObject

TEST, OPERATOR = (0.2, 1.5), (0.1, 0.5)
"""How likely a request waits, and the longest wait in seconds; waits are uniform."""
_DRAWN = random.Random()


def hesitate() -> None:
    """From now on requests of this process hesitate, in every run others."""
    request = RESTClientObject.request

    def hesitant(self: RESTClientObject, *arguments: Any, **options: Any) -> Any:
        share, longest = TEST if threading.current_thread() is threading.main_thread() else OPERATOR
        if _at_work() and _DRAWN.random() < share:
            time.sleep(_DRAWN.uniform(0, longest))
        return request(self, *arguments, **options)

    RESTClientObject.request = hesitant  # type: ignore[method-assign]


def _at_work() -> bool:
    return any(thread.name.startswith("operator ") for thread in threading.enumerate())
