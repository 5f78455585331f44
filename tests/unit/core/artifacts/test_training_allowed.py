"""`optimize.train`: only where the platform allows it, in a container that has no keys."""

from typing import Any

import pytest

from modelyard.core.resources.build_jobs import optimize_job
from modelyard.core.snapshot import ResolvedEntry
from modelyard.settings import BuildSettings
from tests.support.worlds.builders import a_built_world, a_model, settings
from tests.support.worlds.optimizing import FOREVER, digests, job_of, jobs, optimization
from tests.support.worlds.world import World

IMAGE = "docker.io/modelyard/trainer:0.1.0"
ALLOWED = settings(build=BuildSettings(train_image=IMAGE))
ENTRY, DIGEST = (ResolvedEntry("digits", "1", "sha256:" + "0" * 64), "sha256:" + "ab" * 32)


def the_job(build: BuildSettings = ALLOWED.build, **optimize: Any) -> dict[str, Any]:
    spec = {"train": True, **optimize}
    return optimize_job(a_model(optimize=spec), ENTRY, DIGEST, "cpu", settings(build=build))


def the_pod(build: BuildSettings = ALLOWED.build, **optimize: Any) -> dict[str, Any]:
    return the_job(build, **optimize)["spec"]["template"]["spec"]


def a_world(*, allowed: bool, **optimize: Any) -> World:
    world = a_built_world(optimize={"train": True, **optimize})
    if allowed:
        world.settings = ALLOWED
    world.builders.tries = FOREVER
    return world


def test_where_it_is_off_the_plain_artifact_serves_and_the_message_says_what_to_do() -> None:
    world = a_world(allowed=False)

    world.settle()

    assert (jobs(world), world.builders.started) == ([], [])
    assert digests(world) == [world.build_of("1")]
    assert world.condition("Serving") == ("True", "Answering")
    assert world.condition("Built") == ("False", "TrainingOff")
    assert world.condition("Stalled") == ("True", "TrainingOff")
    assert "have config.build.trainImage set to allow it, or remove optimize.train" in world.message("Built")
    assert optimization(world).summary == "failed"


def test_with_wait_nothing_new_is_served_where_it_is_off() -> None:
    world = a_world(allowed=False, wait=True)

    world.settle()

    assert (jobs(world), digests(world)) == ([], [])
    assert world.condition("Stalled") == ("True", "TrainingOff")


@pytest.mark.parametrize("wait", [False, True])
def test_once_it_is_allowed_it_is_done(wait: bool) -> None:
    world = a_world(allowed=False, wait=wait)
    world.settle()

    world.settings = ALLOWED
    world.run_until(lambda: world.condition("Built")[1] == "Optimizing")

    assert jobs(world) == [job_of(world)]
    assert world.condition("Stalled")[0] == "False"
    assert (optimization(world).failure, optimization(world).summary) == ("", "")


def test_a_build_that_is_in_the_store_is_served_though_it_is_off_by_now() -> None:
    world = a_world(allowed=True)
    world.run_until(lambda: world.condition("Reconciling")[1] == "Optimizing")
    world.store.add(world.optimized_of("1"))
    world.settings = settings()

    world.settle()

    assert digests(world) == [world.optimized_of("1")]


def test_the_trainer_has_no_keys_no_token_and_nothing_of_the_builders_files() -> None:
    pod = the_pod()
    [trainer], [builder] = pod["initContainers"], pod["containers"]
    common = {volume["name"] for volume in trainer["volumeMounts"]} & {
        volume["name"] for volume in builder["volumeMounts"]
    }

    assert not [
        variable
        for variable in trainer["env"]
        if "valueFrom" in variable or variable["name"].startswith("MODELYARD_STORE")
    ]
    assert pod["automountServiceAccountToken"] is False
    assert common == {"training"}
    assert {"mountPath": "/train", "name": "training"} in builder["volumeMounts"]
    assert trainer["securityContext"] == builder["securityContext"]
    assert {volume["name"] for volume in trainer["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}


def test_the_trainer_ends_with_the_builder_and_is_asked_over_the_folder_in_common() -> None:
    pod = the_pod()
    [trainer], [builder] = pod["initContainers"], pod["containers"]

    assert (trainer["restartPolicy"], trainer["image"], trainer["args"]) == ("Always", IMAGE, ["serve", "/train"])
    assert {"name": "MODELYARD_TRAINER", "value": "/train"} in builder["env"]
    assert builder["command"][-1] == "--trust-code"
    assert '"train":true' in builder["command"][-2]
    assert trainer["resources"] == {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}}


def test_training_has_its_own_time() -> None:
    longest = the_job(BuildSettings(train_image=IMAGE, train_timeout_seconds=1000), budget="10m")
    assert longest["spec"]["activeDeadlineSeconds"] == 1200 + 900 + 1000


@pytest.mark.parametrize(
    ("settings", "tracker", "uris"),
    [
        ({}, "none", []),
        ({"mlflow_tracking_uri": "http://mlflow.ml:5000"}, "mlflow", ["http://mlflow.ml:5000"]),
        ({"wandb_secret": "wandb"}, "wandb", []),
        ({"wandb_secret": "wandb", "mlflow_tracking_uri": "http://mlflow.ml"}, "wandb", ["http://mlflow.ml"]),
    ],
    ids=["nowhere", "MLflow", "Weights & Biases", "both named"],
)
def test_trainings_are_logged_where_the_platform_says(settings: dict[str, str], tracker: str, uris: list[str]) -> None:
    [trainer] = the_pod(BuildSettings(train_image=IMAGE, **settings))["initContainers"]

    plain = {variable["name"]: variable["value"] for variable in trainer["env"] if "value" in variable}
    assert plain["MODELYARD_TRACK"] == tracker
    assert [value for name, value in plain.items() if name == "MLFLOW_TRACKING_URI"] == uris


def test_the_key_of_weights_and_biases_comes_from_its_secret_alone() -> None:
    pod = the_pod(BuildSettings(train_image=IMAGE, wandb_secret="log-only"))
    [trainer], [builder] = pod["initContainers"], pod["containers"]

    assert {row["name"]: row["valueFrom"]["secretKeyRef"] for row in trainer["env"] if "valueFrom" in row} == {
        "WANDB_API_KEY": {"name": "log-only", "key": "apiKey", "optional": True},
        "WANDB_BASE_URL": {"name": "log-only", "key": "baseUrl", "optional": True},
    }
    assert "log-only" not in str(builder)


def test_its_log_has_a_login_of_its_own_where_the_platform_names_one_and_the_builder_has_not() -> None:
    build = BuildSettings(train_image=IMAGE, mlflow_secret="log-only", mlflow_ca_config_map="company")
    pod = the_pod(build)
    [trainer], [builder] = pod["initContainers"], pod["containers"]

    login = {row["name"]: row["valueFrom"]["secretKeyRef"] for row in trainer["env"] if "valueFrom" in row}
    assert login == {
        f"MLFLOW_TRACKING_{key.upper()}": {"name": "log-only", "key": key, "optional": True}
        for key in ("username", "password", "token")
    }
    assert {"name": "MLFLOW_TRACKING_SERVER_CERT_PATH", "value": "/etc/mlflow/ca.crt"} in trainer["env"]
    assert {"name": "mlflow-ca", "mountPath": "/etc/mlflow", "readOnly": True} in trainer["volumeMounts"]
    assert {"name": "mlflow-ca", "configMap": {"name": "company"}} in pod["volumes"]
    assert "log-only" not in str(builder)


def test_without_training_there_is_no_trainer() -> None:
    pod = the_pod(train=False)

    assert "initContainers" not in pod
    assert "--trust-code" not in pod["containers"][0]["command"]
