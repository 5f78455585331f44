"""What is made of a placement, for drains and for no replicas is what the API server's definitions take."""

from typing import Any

import pytest
import yaml

from modelyard.api.model import Model
from modelyard.api.status import RevisionStatus, Stage
from modelyard.core.resources.disruption import disruption_budgets
from modelyard.core.resources.holding import holding_slices, patience
from modelyard.core.resources.routes import Backend, routes
from modelyard.core.resources.serving import inference_service
from modelyard.core.snapshot import Failure, Holders, Snapshot
from modelyard.settings import GatewaySettings
from tests.support.objects.placements import RIGHT, SOURCE
from tests.support.operator.real_apiserver import RealApiServer

pytestmark = pytest.mark.integration

MARKS = {"pod_labels": {"team": "vision"}, "pod_annotations": {"example.com/note": "kept, for a while"}}


def a_model(**serving: Any) -> Model:
    metadata = {"name": "digits", "namespace": "demo", "uid": "uid-0"}
    return Model.model_validate({"metadata": metadata, "spec": {"source": SOURCE, "serving": serving}})


def a_revision(model: Model) -> RevisionStatus:
    return RevisionStatus(
        name="digits-0123456789", slot="a", digest="sha256:" + "ab" * 32, version="1", runtime="triton",
        placement=model.spec.serving.placement(), stage=Stage.STARTING, **MARKS,
    )  # fmt: skip


@pytest.mark.parametrize("serving", RIGHT.values(), ids=RIGHT.keys())
def test_an_inference_service_takes_every_placement(apiserver: RealApiServer, serving: dict[str, Any]) -> None:
    model = a_model(**serving)
    made = inference_service(model, a_revision(model), "modelyard")

    assert apiserver.complaint(yaml.safe_dump(made)) == ""


def test_a_disruption_budget_is_what_kubernetes_takes(apiserver: RealApiServer) -> None:
    model = a_model(replicas=2)
    [made] = disruption_budgets(Snapshot(0.0, model, Failure("", "")), [a_revision(model)], {})

    assert apiserver.complaint(yaml.safe_dump(made)) == ""


def test_what_lets_requests_wait_is_what_kubernetes_and_the_gateway_take(apiserver: RealApiServer) -> None:
    spec = {"source": SOURCE, "scaling": {"minReplicas": 0, "maxReplicas": 2}, "serving": {"timeout": "1500ms"}}
    model = Model.model_validate({"metadata": {"name": "digits", "namespace": "demo", "uid": "uid-0"}, "spec": spec})
    name = "digits-0123456789"
    published = routes(model, [Backend(name, "a", 100)], GatewaySettings())
    made = [*holding_slices(model, name, Holders(("10.0.0.8", "fd00::8"))), *patience(model, 60.0), *published]

    assert [one["kind"] for one in made] == ["EndpointSlice"] * 2 + ["BackendTrafficPolicy"] + ["HTTPRoute"] * 2 + [
        "GRPCRoute"
    ]
    assert [apiserver.complaint(yaml.safe_dump(one)) for one in made] == [""] * 6
