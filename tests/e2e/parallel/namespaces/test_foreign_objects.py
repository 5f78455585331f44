"""Objects of others under a Model's names stay as they are before, during and after it, unless they are handed over."""

from typing import Any

import pytest

from tests.support.cluster.kubectl import apply, eventually, get, kubectl, run
from tests.support.cluster.models import a_model, applied, condition, owned, until

MARK = "modelyard.dev/adopt=true"


@pytest.fixture
def strangers(namespace: str) -> list[tuple[str, str]]:
    """Kind and name of somebody's route and Secret, which are there before the Model."""
    shop = {"labels": {"team": "shop"}, "namespace": namespace}
    apply(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": "digits", **shop},
            "spec": {"hostnames": ["shop.example.com"], "rules": [{"backendRefs": [{"name": "shop", "port": 80}]}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "digits--store", **shop},
            "stringData": {"password": "precious"},
        },
    )
    return [("httproute", "digits"), ("secret", "digits--store")]


def there(strangers: list[tuple[str, str]], namespace: str) -> list[dict[str, Any]]:
    """The objects as they are, without what their controllers say of them."""
    found = [get(kind, name, namespace) or {} for kind, name in strangers]
    return [{key: value for key, value in thing.items() if key != "status"} for thing in found]


def test_they_are_named_and_left_alone(strangers: list[tuple[str, str]], namespace: str) -> None:
    before = there(strangers, namespace)
    applied(a_model("digits", namespace))

    until("digits", namespace, "Stalled", "True", "NameTaken")

    def both_named() -> str:
        sentence = condition(get("model", "digits", namespace), "Ready")["message"]
        return sentence if f"Secret {namespace}/digits--store" in sentence else ""

    sentence = eventually(both_named, "both are named")
    assert f"HTTPRoute {namespace}/digits belongs to somebody else" in sentence
    assert sentence in run("modelyard", "explain", "digits", "-n", namespace, check=False).stdout
    assert owned("digits", namespace) == []
    assert there(strangers, namespace) == before

    kubectl("delete", "model", "digits", "-n", namespace, "--wait=true")
    eventually(lambda: get("model", "digits", namespace) is None, "the Model is gone")
    assert there(strangers, namespace) == before


def test_they_become_the_models_when_they_are_handed_over(strangers: list[tuple[str, str]], namespace: str) -> None:
    applied(a_model("digits", namespace))
    until("digits", namespace, "Stalled", "True", "NameTaken")

    for kind, name in strangers:
        kubectl("annotate", kind, name, "-n", namespace, MARK)
    model = until("digits", namespace, "Ready", "True")

    for thing in there(strangers, namespace):
        assert [owner["uid"] for owner in thing["metadata"]["ownerReferences"]] == [model["metadata"]["uid"]]
