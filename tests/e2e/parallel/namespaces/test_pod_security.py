"""A Model in a namespace under Pod Security "restricted" is built and served; the platform's own is under it too."""

import numpy as np

from tests.support.cluster.kubectl import PLATFORM, get, items
from tests.support.cluster.local_cluster import RESTRICTED, a_namespace
from tests.support.cluster.models import a_model, applied, infer, output, until

NAME = "restricted-digits"
"""A name of its own, and so a build of its own."""


def test_a_model_is_built_and_served_under_the_restricted_standard() -> None:
    label, _, level = RESTRICTED.partition("=")
    with a_namespace(**{label: level, "pod-security.kubernetes.io/enforce-version": "latest"}) as namespace:
        applied(a_model(NAME, namespace))
        until(NAME, namespace, "Ready", "True")

        assert output(infer(NAME, namespace, "input", np.zeros((1, 1, 8, 8), dtype=np.float32))).shape == (1, 10)
        [pod] = items("pods", namespace)
        assert [container["name"] for container in pod["spec"]["initContainers"]] == ["storage-initializer"]
        home = get("namespace", PLATFORM, "")
        assert home is not None
        assert home["metadata"]["labels"][label] == level
