"""How fast the number of replicas changes: up at once, down slowly (`behavior` of an autoscaling/v2 object).

Up: as far as the target asks for, at once, where that is exact: how many requests arrive does not depend on how many
replicas there are. By CPU, which pods that start use without any request, and by requests in flight, which pile up
while they start, the number may double or grow by four every 15 s.

Down: to the most that was asked for within `scaleDownDelay`, and then by a quarter, at least one, a minute. By
requests in flight it is GUESS_PATIENCE times that long: fewer replicas have more in flight than the number tells, so
that one too few is noticed only once it is gone.
"""

import math
from typing import Any

from modelyard.api.quantity import seconds
from modelyard.api.scheduling.scaling import Scaling

GUESS_PATIENCE = 3
_STEP_SECONDS = 15
_LONGEST = 3600


def behavior(scaling: Scaling, *, at_once: bool, patience: int = 1) -> dict[str, Any]:
    """The `behavior` of a HorizontalPodAutoscaler, which KEDA passes on to the one it makes.

    `at_once` lets the number rise as far as is asked for; `patience` multiplies the delay, up to an hour.
    """
    pods = scaling.max_replicas if at_once else 4
    up = [_policy("Pods", pods, _STEP_SECONDS), *([] if at_once else [_policy("Percent", 100, _STEP_SECONDS)])]
    delay = min(patience * math.ceil(seconds(scaling.scale_down_delay)), _LONGEST)
    return {
        "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": up},
        "scaleDown": {
            "stabilizationWindowSeconds": delay,
            "selectPolicy": "Max",
            "policies": [_policy("Pods", 1, 60), _policy("Percent", 25, 60)],
        },
    }


def _policy(kind: str, value: int, period: int) -> dict[str, Any]:
    return {"type": kind, "value": value, "periodSeconds": period}
