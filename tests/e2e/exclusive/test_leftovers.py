"""A Model that is deleted leaves nothing, in its namespace and in the platform's, where the Jobs of all Models are."""

from tests.support.cluster.kubectl import eventually, items, kubectl
from tests.support.cluster.models import a_model, applied, owned, until


def test_a_deleted_model_leaves_nothing(namespace: str) -> None:
    applied(a_model("digits", namespace))
    digest = until("digits", namespace, "Ready", "True")["status"]["build"]["digest"]
    assert owned("digits", namespace) != []

    kubectl("delete", "model", "digits", "-n", namespace, "--wait=true")

    eventually(lambda: owned("digits", namespace) == [], "nothing of the model is left")
    build = f"modelyard.dev/build={digest.removeprefix('sha256:')[:16]}"
    assert items("jobs", "modelyard-system", build) == []
