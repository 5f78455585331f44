"""A Model that is deleted leaves nothing, in its namespace and in the platform's, where the Jobs of all Models are."""

from tests.support.cluster.kubectl import eventually, items, kubectl
from tests.support.cluster.models import a_model, applied, owned, until

NAME = "digits-to-delete"
"""A name of its own, and so a build of its own: Jobs of the platform's namespace serve Models of every namespace."""


def test_a_deleted_model_leaves_nothing(namespace: str) -> None:
    applied(a_model(NAME, namespace))
    digest = until(NAME, namespace, "Reconciling", "False", "Done")["status"]["build"]["digest"]
    assert owned(NAME, namespace) != []

    kubectl("delete", "model", NAME, "-n", namespace, "--wait=true")

    eventually(lambda: owned(NAME, namespace) == [], "nothing of the model is left")
    build = f"modelyard.dev/build={digest.removeprefix('sha256:')[:16]}"
    eventually(lambda: items("jobs", "modelyard-system", build) == [], "no build of it is left")
