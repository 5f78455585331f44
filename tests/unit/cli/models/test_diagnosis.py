"""`explain`: from the state of the world to the first station that needs somebody, and what to do there."""

from dataclasses import replace
from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.cli.models.diagnosis import ClusterObjects, conclusion, diagnose
from modelyard.cli.models.explained.path_step import PathStep, Standing
from modelyard.core.names import BUILD_LABEL, MODEL_LABEL, REVISION_LABEL
from modelyard.settings import Settings

DIGEST = "sha256:" + "ab" * 32
REVISION = "digits-0123456789"
SETTINGS = Settings()


def condition(kind: str, status: str = "True", reason: str = "Fine", message: str = "All is well.") -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": "2026-01-01"}


REACHED = (condition("EntryResolved"), condition("Built"), condition("Serving"), condition("Routed"))


def revision(**changes: Any) -> dict[str, Any]:
    serving = {"name": REVISION, "slot": "a", "digest": DIGEST, "version": "1", "runtime": "r", "stage": "Serving"}
    return {**serving, "ready": True, "weight": 100, "stageStartTime": "2026-01-01T00:00:00Z", **changes}


def a_model(*conditions: dict[str, Any], revisions: Any = (), build: bool = True, **metadata: Any) -> Model:
    status: dict[str, Any] = {"observedGeneration": 1, "conditions": list(conditions), "revisions": list(revisions)}
    if build:
        status["build"] = {"digest": DIGEST}
    return Model.model_validate(
        {
            "metadata": {"name": "digits", "namespace": "demo", "generation": 1, **metadata},
            "spec": {"source": {"name": "digits", "version": "1"}},
            "status": status,
        }
    )


def thing(kind: str, name: str, labels: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "demo", "generation": 1, "labels": {MODEL_LABEL: "digits", **(labels or {})}}
    return {"kind": kind, "metadata": metadata, **body}


def deployment(ready: int = 1, wanted: int = 1) -> dict[str, Any]:
    return thing(
        "Deployment",
        f"{REVISION}-predictor",
        spec={"replicas": wanted},
        status={"readyReplicas": ready} if ready else {},
    )


def pod(*, label: str = REVISION_LABEL, value: str = REVISION, **status: Any) -> dict[str, Any]:
    return thing("Pod", "the-pod", {label: value}, status=status)


def crashing(container: str, **ended: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    one = {"name": container, "restartCount": 3, "state": state, "lastState": {"terminated": {"exitCode": 1, **ended}}}
    key = "initContainerStatuses" if container == "storage-initializer" else "containerStatuses"
    return {key: [one]}


def route(kind: str, name: str, weights: tuple[int, int] = (100, 0), **accepted: Any) -> dict[str, Any]:
    backends = [{"name": f"{REVISION}-predictor", "weight": weight} for weight in weights]
    conditions = [
        {"type": kind_, "status": "True", "reason": kind_, "message": "", "observedGeneration": 1}
        for kind_ in ("Accepted", "ResolvedRefs")
    ]
    conditions[1].update(accepted)
    parent = {"parentRef": {"name": "modelyard", "namespace": "modelyard-system"}, "conditions": conditions}
    return thing(kind, name, spec={"rules": [{"backendRefs": backends}]}, status={"parents": [parent]})


def routes(weights: tuple[int, int] = (100, 0), **accepted: Any) -> list[dict[str, Any]]:
    names = (("HTTPRoute", "digits"), ("HTTPRoute", "digits--path"), ("GRPCRoute", "digits"))
    return [route(kind, name, weights, **accepted) for kind, name in names]


def gateway(status: str = "True") -> dict[str, Any]:
    programmed = {"type": "Programmed", "status": status, "message": "no addresses"}
    return {"kind": "Gateway", "metadata": {"name": "modelyard"}, "status": {"conditions": [programmed]}}


PULLING = {"reason": "ErrImagePull"}
SERVICE = thing("InferenceService", REVISION)


def facts(
    model: Model, *objects: dict[str, Any], logs: dict[str, str] | None = None, gate: Any = "up"
) -> ClusterObjects:
    return ClusterObjects(model, objects, gateway() if gate == "up" else gate, logs or {})


def served(*objects: dict[str, Any], **changes: Any) -> ClusterObjects:
    """A Model whose one revision has these objects beside its InferenceService and routes."""
    model = a_model(*REACHED, revisions=[revision(**changes)])
    return facts(model, SERVICE, *objects, *routes())


def begin_with(world: ClusterObjects) -> PathStep:
    return conclusion(diagnose(world, SETTINGS))


def test_a_model_that_serves_is_good_at_every_station():
    steps = diagnose(served(deployment(), pod()), SETTINGS)

    assert [step.verdict for step in steps] == [Standing.GOOD] * len(steps)
    assert [step.subject for step in steps] == [
        "Model", "Entry", "Build", f"Revision {REVISION}", "HTTPRoute digits", "HTTPRoute digits--path",
        "GRPCRoute digits", "Gateway",
    ]  # fmt: skip
    assert conclusion(steps).subject == "Gateway"


def test_while_no_operator_leads_nothing_old_is_told_as_news():
    world = replace(served(deployment(), pod()), operator_silence="operator-1 led, but has been silent for 600 s")

    step = begin_with(world)

    assert (step.subject, step.verdict) == ("Operator", Standing.BAD)
    assert step.found.startswith("operator-1 led, but has been silent for 600 s: what the Model's status says was true")
    assert "taken it up" not in " ".join(step.found for step in diagnose(world, SETTINGS))


def test_the_traffic_of_a_route_is_said_in_shares():
    steps = {step.subject: step for step in diagnose(served(deployment()), SETTINGS)}

    assert steps["HTTPRoute digits"].found == f"accepted; 100 % to {REVISION}-predictor."


STATIONS = {
    "the operator has not seen the Model at all": (
        facts(a_model(generation=2)), "Model", Standing.WAITING, "has not taken up", "modelyard doctor",
    ),
    "the operator has not seen the latest spec": (
        facts(a_model(*REACHED, generation=2)), "Model", Standing.WAITING, "has not taken up", "logs deploy/",
    ),
    "the Model is being deleted": (
        facts(a_model(deletionTimestamp="2026-01-01")), "Model", Standing.WAITING, "being deleted", "",
    ),
    "the registry has no such entry": (
        facts(a_model(condition("EntryResolved", "False", "UnknownEntry", "There is no digits:9."), build=False)),
        "Entry", Standing.BAD, "no digits:9", "modelyard entries",
    ),
    "the store does not answer": (
        facts(a_model(condition("EntryResolved", "Unknown", "Unreachable", "The store does not answer."))),
        "Entry", Standing.BAD, "does not answer", "modelyard doctor",
    ),
    "the build is running": (
        facts(a_model(REACHED[0], condition("Built", "False", "Building", "Job x builds."))),
        "Build", Standing.WAITING, "builds", "logs job/build-abababab",
    ),
    "the build cannot be scheduled": (
        facts(
            a_model(REACHED[0], condition("Built", "False", "Building", "Job x builds.")),
            pod(
                label=BUILD_LABEL, value="ab" * 8,
                conditions=[{"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1 nodes: memory."}],
            ),
        ),
        "Build", Standing.BAD, "No node can take pod", "logs job/",
    ),
    "the build failed": (
        facts(a_model(REACHED[0], condition("Built", "False", "InvalidEntry", "model.onnx cannot be read."))),
        "Build", Standing.BAD, "cannot be read", "to look closer: kubectl -n modelyard-system logs job/",
    ),
    "the InferenceService is not made yet": (
        facts(a_model(*REACHED, revisions=[revision(stage="Starting")])),
        f"Revision {REVISION}", Standing.WAITING, "InferenceService is not there", "",
    ),
    "KServe has made nothing yet": (
        facts(a_model(*REACHED, revisions=[revision(stage="Starting")]), SERVICE),
        f"Revision {REVISION}", Standing.WAITING, "not made its Deployment", "describe inferenceservice",
    ),
    "the Deployment was scaled to nothing": (
        served(deployment(0, 0)), f"Revision {REVISION}", Standing.BAD, "scaled to 0", "describe inferenceservice",
    ),
    "the server crashes and its log says why": (
        ClusterObjects(
            served().model, [SERVICE, pod(**crashing("kserve-container"))], gateway(),
            {"the-pod": "E0101 00:00:00 x] failed to load 'digits' version 1: Internal: bad graph"},
        ),
        f"Revision {REVISION}", Standing.BAD, "bad graph", "describe pods -l modelyard.dev/revision=",
    ),
    "the server is killed for its memory": (
        served(pod(**crashing("kserve-container", reason="OOMKilled"))),
        f"Revision {REVISION}", Standing.BAD, "limits.memory", "describe pods",
    ),
    "the artifact is forbidden": (
        served(pod(**crashing("storage-initializer", message="403 Forbidden"))),
        f"Revision {REVISION}", Standing.BAD, "403 can mean either", "describe pods",
    ),
    "the image cannot be pulled": (
        served(pod(containerStatuses=[{"name": "c", "image": "x:1", "state": {"waiting": PULLING}}])),
        f"Revision {REVISION}", Standing.BAD, "Image x:1 cannot be pulled", "describe pods",
    ),
    "one of two replicas is ready": (
        served(deployment(1, 2)), f"Revision {REVISION}", Standing.WAITING, "1 of 2 replicas", "describe pods",
    ),
    "the warm-up has not been answered yet": (
        served(deployment(), ready=False), f"Revision {REVISION}", Standing.WAITING, "still to be answered", "",
    ),
    "the warm-up was answered with an error": (
        facts(
            a_model(*REACHED, condition("Ready", "False", "WarmupFailed", "It said 400."), revisions=[
                revision(ready=False)]),
            SERVICE, deployment(), *routes(),
        ),
        f"Revision {REVISION}", Standing.BAD, "It said 400", DIGEST,
    ),
    "the routes are not there yet": (
        facts(a_model(*REACHED, revisions=[revision()]), SERVICE, deployment()),
        "HTTPRoute digits", Standing.WAITING, "not there yet", "",
    ),
    "the gateway refuses a reference": (
        facts(
            a_model(*REACHED, revisions=[revision()]), SERVICE, deployment(),
            *routes(status="False", reason="BackendNotFound", message="no Service."),
        ),
        "HTTPRoute digits", Standing.BAD, "BackendNotFound: no Service.", "describe httproute digits",
    ),
    "the gateway has not read the route yet": (
        facts(
            a_model(*REACHED, revisions=[revision()]), SERVICE, deployment(),
            *[{**one, "status": {}} for one in routes()],
        ),
        "HTTPRoute digits", Standing.WAITING, "waits for Gateway", "describe httproute digits",
    ),
    "the route sends everything to nobody": (
        facts(a_model(*REACHED, revisions=[revision(stage="Leaving")]), SERVICE, deployment(0, 0), *routes()),
        "HTTPRoute digits", Standing.BAD, "callers get 503", "describe httproute",
    ),
    "the first revision is still starting, so its routes lead to nobody yet": (
        facts(a_model(*REACHED, revisions=[revision(stage="Starting")]), SERVICE, deployment(0, 1), *routes()),
        f"Revision {REVISION}", Standing.WAITING, "0 of 1 replicas", "describe pods",
    ),
    "no backend of the route has a weight": (
        facts(a_model(*REACHED, revisions=[revision()]), SERVICE, deployment(), *routes((0, 0))),
        "HTTPRoute digits", Standing.BAD, "no traffic to anybody", "describe httproute",
    ),
    "there is no Gateway": (
        facts(a_model(*REACHED), gate=None), "Gateway", Standing.BAD, "there is no Gateway", "modelyard doctor",
    ),
    "the Gateway is not programmed": (
        facts(a_model(*REACHED), gate=gateway("False")), "Gateway", Standing.BAD, "no addresses", "describe gateway",
    ),
    "nobody programs the Gateway": (
        facts(a_model(*REACHED), gate={"kind": "Gateway", "metadata": {}}),
        "Gateway", Standing.BAD, "its controller has said nothing", "describe gateway",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("world", "station", "verdict", "found", "remedy"), STATIONS.values(), ids=STATIONS)
def test_it_begins_at_the_station_that_keeps_the_others_waiting(world, station, verdict, found, remedy):
    step = begin_with(world)

    assert (step.subject, step.verdict) == (station, verdict)
    assert found in step.found
    assert remedy in step.remedy


def test_what_kserve_says_of_a_missing_deployment_is_passed_on():
    said = {"type": "PredictorReady", "status": "False", "message": "no runtime found."}
    model = a_model(*REACHED, revisions=[revision(stage="Starting", ready=False)])

    step = begin_with(facts(model, {**SERVICE, "status": {"conditions": [said]}}, *routes()))

    assert step.found == "KServe makes no pods: no runtime found."


def test_a_warm_up_failure_without_a_known_build_still_has_a_remedy():
    failed = condition("Ready", "False", "WarmupFailed", "It said 400.")
    model = a_model(*REACHED, failed, revisions=[revision(ready=False)], build=False)

    assert "the build" in begin_with(facts(model, SERVICE, deployment(), *routes())).remedy


def test_a_revision_that_fails_its_users_is_where_to_begin_however_well_its_pods_are():
    said = (
        f"The gateway counts 90 of 100 requests of the last minute as failed, though replicas of {REVISION} are ready."
    )
    conditions = [one for one in REACHED if one["type"] != "Serving"]
    model = a_model(*conditions, condition("Serving", "False", "RequestsFail", said), revisions=[revision()])

    step = begin_with(facts(model, SERVICE, deployment(), pod(), *routes()))

    assert (step.subject, step.verdict, step.found) == (f"Revision {REVISION}", Standing.BAD, said)
    assert step.remedy.endswith("-c kserve-container")


def test_a_revision_on_its_way_out_is_no_reason_to_worry():
    model = a_model(*REACHED, revisions=[revision(stage="Draining")])

    steps = {step.subject: step for step in diagnose(facts(model), SETTINGS)}

    assert steps[f"Revision {REVISION}"].verdict is Standing.GOOD
    assert "on its way out" in steps[f"Revision {REVISION}"].found


def test_a_new_version_that_fails_to_build_does_not_hide_that_the_old_one_serves():
    failed = condition("Built", "False", "InvalidEntry", "model.onnx cannot be read.")
    model = a_model(REACHED[0], failed, revisions=[revision()])

    steps = {step.subject: step for step in diagnose(facts(model, SERVICE, deployment(), *routes()), SETTINGS)}

    assert steps["Build"].verdict is Standing.BAD
    assert steps[f"Revision {REVISION}"].verdict is Standing.GOOD


def test_a_build_that_is_tried_again_says_so_and_is_what_to_begin_with():
    met = "container build of Job p/build-1 ran out of memory; that was Job 1, and it is tried again at 12:00:00Z."
    model = a_model(REACHED[0], condition("Built", "False", "OutOfMemory", met))
    waits = {"digest": DIGEST, "attempts": 1, "nextAttemptTime": "2026-01-01T12:00:00Z"}
    status = {**model.status.model_dump(by_alias=True, mode="json"), "build": waits}
    told = Model.model_validate({**model.model_dump(by_alias=True, mode="json"), "status": status})

    step = begin_with(facts(told))

    assert (step.subject, step.verdict, step.found) == ("Build", Standing.BAD, met)
    assert step.remedy.startswith("it is tried again by itself; to look closer: kubectl")


def test_it_begins_with_a_name_that_somebody_else_holds() -> None:
    taken = condition("Ready", "False", "NameTaken", "Secret demo/digits--store belongs to somebody else.")
    step = begin_with(ClusterObjects(a_model(taken, *REACHED), objects=()))

    assert (step.verdict, step.found) == (Standing.BAD, "Secret demo/digits--store belongs to somebody else.")


def test_pods_that_a_quota_refuses_are_told_of_as_the_condition_tells_it():
    cause = "exceeded quota: team, requested: requests.memory=512Mi"
    said = {"type": "ReplicaFailure", "status": "True", "message": f'pods "digits-x-1" is forbidden: {cause}'}
    model = a_model(*REACHED, revisions=[revision(stage="Starting", ready=False)])
    refused = {**deployment(ready=0), "status": {"conditions": [said]}}

    step = begin_with(facts(model, SERVICE, refused, *routes()))

    assert step.verdict is Standing.BAD
    assert step.found == f"No more pods can be made: {cause}; they start by themselves once that is mended."
