"""The objects a Model should have: what KServe, the gateway and the kubelet rely on is in them."""

import base64
from typing import Any

import pytest

from modelyard.api.status import RevisionStatus, Stage
from modelyard.core.kinds import BY_NAME
from modelyard.core.names import DESIRED_ANNOTATION, build_digest, predictor, revision_name
from modelyard.core.resources.build_jobs import job, optimize_job
from modelyard.core.resources.routes import Backend, routes
from modelyard.core.resources.serving import inference_service, service_account, store_secret
from modelyard.core.snapshot import Credentials, ResolvedEntry
from modelyard.core.storage.keys import storage_uri
from modelyard.settings import BuildSettings, GatewaySettings, Settings
from tests.support.worlds.builders import a_model, settings

DIGEST = "sha256:" + "ab" * 32
ENTRY = ResolvedEntry("digits", "1", "sha256:" + "11" * 32)
A, B = Backend("digits-a", "a", 100), Backend("digits-b", "b", 0)


def a_revision(**changes: Any) -> RevisionStatus:
    values = {"name": "digits-0123456789", "slot": "a", "digest": DIGEST, "version": "1", "runtime": "triton-v1"}
    return RevisionStatus.model_validate({**values, "stage": Stage.STARTING, "stage_start_time": "now", **changes})


def a_job(overridden: Settings | None = None) -> dict[str, Any]:
    return job("digits", ENTRY, DIGEST, "cpu", overridden or settings())


def an_optimize_job(**optimize: Any) -> dict[str, Any]:
    return optimize_job(a_model(optimize=optimize), ENTRY, DIGEST, "cpu", settings())


def credentials(endpoint: str = "http://store:8333") -> Credentials:
    return Credentials(endpoint, "modelyard", "eu-north-1", "reader", "hush")


def test_every_child_is_labelled_owned_and_sealed() -> None:
    model = a_model()
    children = [
        store_secret(model, credentials()),
        service_account(model),
        inference_service(model, a_revision(), "modelyard"),
        *routes(model, [A], GatewaySettings()),
    ]

    for child in children:
        metadata = child["metadata"]
        assert metadata["namespace"] == "demo"
        assert metadata["labels"]["modelyard.dev/model"] == "digits"
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "modelyard"
        [owner] = metadata["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == ("Model", "digits", "uid-0", True)
        assert len(metadata["annotations"][DESIRED_ANNOTATION]) == 16
        assert child["apiVersion"] == BY_NAME[child["kind"]].api_version


def test_the_seal_tells_one_wish_from_another() -> None:
    seals = {
        inference_service(a_model(), a_revision(runtime=runtime), "b")["metadata"]["annotations"][DESIRED_ANNOTATION]
        for runtime in ("triton-v1", "triton-v1", "triton-v2")
    }

    assert len(seals) == 2


@pytest.mark.parametrize(
    ("endpoint", "host", "https"),
    [
        ("http://store:8333", "store:8333", "0"),
        ("https://s3.example.org", "s3.example.org", "1"),
        ("https://s3.example.org/", "s3.example.org", "1"),
        ("", "s3.amazonaws.com", "1"),
    ],
)
def test_the_secret_tells_kserve_where_the_store_is(endpoint: str, host: str, https: str) -> None:
    secret = store_secret(a_model(), credentials(endpoint))

    notes = secret["metadata"]["annotations"]
    assert notes["serving.kserve.io/s3-endpoint"] == host
    assert notes["serving.kserve.io/s3-usehttps"] == https
    assert notes["serving.kserve.io/s3-region"] == "eu-north-1"
    assert base64.b64decode(secret["data"]["AWS_SECRET_ACCESS_KEY"]) == b"hush"


def test_pods_of_a_model_may_read_the_store_and_hold_no_token() -> None:
    account = service_account(a_model())

    assert account["secrets"] == [{"name": "digits--store"}]
    assert account["automountServiceAccountToken"] is False


def test_an_inference_service_is_ours_to_scale_and_to_route() -> None:
    served = inference_service(a_model(), a_revision(), "modelyard")

    metadata, serving = served["metadata"], served["spec"]["predictor"]["model"]
    assert metadata["labels"]["networking.kserve.io/visibility"] == "cluster-local"
    assert metadata["labels"]["modelyard.dev/revision"] == "digits-0123456789"
    assert metadata["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    assert metadata["annotations"]["serving.kserve.io/autoscalerClass"] == "external"
    assert serving["runtime"] == "triton-v1"
    assert serving["storageUri"] == f"s3://modelyard/builds/{'ab' * 32}/repository/"
    assert serving["readinessProbe"]["httpGet"]["path"] == "/v2/models/digits/ready"
    assert "resources" not in serving


def test_pods_of_a_revision_meet_the_restricted_standard_with_every_container_kserve_adds() -> None:
    pod = inference_service(a_model(), a_revision(), "modelyard")["spec"]["predictor"]["securityContext"]

    assert pod == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_resources_of_a_revision_are_its_replicas() -> None:
    served = inference_service(a_model(), a_revision(resources={"limits": {"memory": "1Gi"}}), "modelyard")

    assert served["spec"]["predictor"]["model"]["resources"] == {"limits": {"memory": "1Gi"}}


def test_the_place_of_a_build_ends_with_a_slash() -> None:
    assert storage_uri("bucket", DIGEST).endswith("/repository/")


def test_no_routes_without_a_backend() -> None:
    assert routes(a_model(), [], GatewaySettings()) == []


def test_an_empty_slot_names_the_other_service_without_weight() -> None:
    main = routes(a_model(), [B], GatewaySettings())[0]["spec"]["rules"][0]["backendRefs"]

    assert [(backend["name"], backend["weight"]) for backend in main] == [
        ("digits-b-predictor", 0),
        ("digits-b-predictor", 0),
    ]


def test_slot_a_comes_first_whatever_the_order() -> None:
    main = routes(a_model(), [B, A], GatewaySettings())[0]["spec"]["rules"][0]["backendRefs"]

    assert [backend["name"] for backend in main] == ["digits-a-predictor", "digits-b-predictor"]


def test_a_model_is_published_by_host_by_path_and_over_grpc() -> None:
    by_host, by_path, grpc = (route["spec"] for route in routes(a_model(), [A, B], GatewaySettings()))

    assert by_host["hostnames"] == grpc["hostnames"] == ["digits.demo.models.local"]
    assert "hostnames" not in by_path
    assert by_path["rules"][0]["matches"][0]["path"]["value"] == "/demo/digits/"
    assert all(rule["filters"][0]["urlRewrite"]["path"]["replacePrefixMatch"] == "/" for rule in by_path["rules"])
    assert grpc["rules"][0]["matches"][0]["method"]["service"] == "inference.GRPCInferenceService"
    assert {backend["port"] for backend in by_host["rules"][0]["backendRefs"]} == {80}
    assert {backend["port"] for backend in grpc["rules"][0]["backendRefs"]} == {9000}
    assert by_host["parentRefs"] == [{"name": "modelyard", "namespace": "modelyard-system"}]


def test_rules_keep_their_place_whatever_serves() -> None:
    assert {
        len(route["spec"]["rules"])
        for held in ([A], [B], [A, B])
        for route in routes(a_model(), held, GatewaySettings())
    } == {3}


def test_a_build_runs_the_command_a_person_would_run() -> None:
    [container] = a_job()["spec"]["template"]["spec"]["containers"]

    command = ["modelyard", "build", "digits:1", "--name", "digits", "--target", "cpu", "--publish"]
    assert container["command"] == command


def test_a_users_mistake_and_what_the_machine_did_three_times_end_the_job_at_once() -> None:
    rule, evicted = a_job()["spec"]["podFailurePolicy"]["rules"]

    assert rule == {
        "action": "FailJob",
        "onExitCodes": {"containerName": "build", "operator": "In", "values": [2, 75]},
    }
    assert evicted["action"] == "Ignore"
    assert a_job()["spec"]["backoffLimit"] == 2


def test_the_job_lives_with_the_write_credentials_and_shows_none() -> None:
    made = a_job()
    secrets = [
        variable for variable in made["spec"]["template"]["spec"]["containers"][0]["env"] if "valueFrom" in variable
    ]

    assert made["metadata"]["namespace"] == "modelyard-system"
    assert made["metadata"]["labels"]["modelyard.dev/build"] == "ab" * 8
    assert {variable["valueFrom"]["secretKeyRef"]["name"] for variable in secrets} == {"modelyard-store-writer"}
    assert "ownerReferences" not in made["metadata"]


def test_the_job_is_restricted() -> None:
    pod = a_job()["spec"]["template"]["spec"]
    [container] = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["resources"]["limits"]["memory"] == "2Gi"


def test_an_optimization_runs_the_build_with_what_the_spec_asks() -> None:
    [container] = an_optimize_job(budget="30s", precisions=["int8", "fp32"])["spec"]["template"]["spec"]["containers"]

    options = '{"budget":30.0,"goal":"latency","maxQualityLoss":0.01,"precisions":["fp32","int8"],"target":"cpu"}'
    command = ["modelyard", "build", "digits:1", "--name", "digits", "--target", "cpu", "--publish"]
    assert container["command"] == [*command, "--optimize", options]
    assert container["resources"] == {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "4Gi"}}
    assert container["image"] == settings().build.image


def test_an_optimization_has_twice_its_budget_beside_the_time_of_a_build() -> None:
    assert an_optimize_job(budget="10m")["spec"]["activeDeadlineSeconds"] == 1200 + 900


def test_an_evicted_optimization_goes_on_and_a_users_mistake_ends_it() -> None:
    spec = an_optimize_job()["spec"]

    assert [rule["action"] for rule in spec["podFailurePolicy"]["rules"]] == ["FailJob", "Ignore"]
    assert spec["podFailurePolicy"]["rules"][1]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert spec["backoffLimit"] == 3


def test_an_optimization_belongs_to_its_model_and_its_pods_do_not_pass_for_it() -> None:
    made = an_optimize_job()
    labels, of_pods = made["metadata"]["labels"], made["spec"]["template"]["metadata"]["labels"]

    assert made["metadata"]["name"] == f"optimize-{'ab' * 8}"
    assert (labels["modelyard.dev/model"], labels["modelyard.dev/namespace"]) == ("digits", "demo")
    assert labels["modelyard.dev/build"] == of_pods["modelyard.dev/build"] == "ab" * 8
    assert "modelyard.dev/model" not in of_pods


@pytest.mark.parametrize(("image", "used"), [("", settings().build.image), ("builder-gpu:1", "builder-gpu:1")])
def test_an_optimization_for_a_gpu_gets_one_and_an_image_that_can_use_it(image: str, used: str) -> None:
    chosen = settings(build=BuildSettings(gpu_image=image))
    model = a_model(optimize={})
    made = optimize_job(model, ENTRY, DIGEST, "gpu", chosen)
    [container] = made["spec"]["template"]["spec"]["containers"]

    assert container["resources"]["limits"] == {"memory": "4Gi", "nvidia.com/gpu": 1}
    assert container["image"] == used
    assert '"target":"gpu"' in container["command"][-1]


def test_a_model_that_asks_for_no_optimization_has_no_job_for_it() -> None:
    with pytest.raises(ValueError, match="asks for no optimization"):
        optimize_job(a_model(), ENTRY, DIGEST, "cpu", settings())


def test_names_fit_their_places() -> None:
    longest = revision_name("m" * 40, "d", digest=DIGEST, runtime="r", resources=None)

    assert len(predictor(longest)) <= 63


def test_a_build_is_named_by_everything_that_goes_into_it() -> None:
    digests = {
        build_digest("sha256:1", "digits", {}),
        build_digest("sha256:2", "digits", {}),
        build_digest("sha256:1", "other", {}),
        build_digest("sha256:1", "digits", {"precision": "int8"}),
    }

    assert len(digests) == 4
    assert build_digest("sha256:1", "digits", {}) in digests


def test_core_kinds_have_no_group() -> None:
    assert BY_NAME["Secret"].api_version == "v1"
    assert BY_NAME["HTTPRoute"].api_version == "gateway.networking.k8s.io/v1"
