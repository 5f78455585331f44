"""What the definition allows as names is served, however long both are together."""

import numpy as np

from modelyard.core.names import MAX_NAMESPACE
from tests.support.cluster.local_cluster import a_namespace
from tests.support.cluster.models import a_model, applied, infer, output, until

NAME = "sentiment-classifier-for-support-tickets"


def test_the_longest_name_in_the_longest_namespace_is_served() -> None:
    assert len(NAME) == 40
    with a_namespace(MAX_NAMESPACE) as namespace:
        applied(a_model(NAME, namespace))
        until(NAME, namespace, "Ready", "True")

        assert output(infer(NAME, namespace, "input", np.zeros((1, 1, 8, 8), dtype=np.float32))).shape == (1, 10)
