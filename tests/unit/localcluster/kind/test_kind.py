"""`MODELYARD_CLUSTER=kind`: the exact command lines, and what is said when Docker or kind is not as it must be."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from localcluster import existing
from localcluster.errors import NotPossible
from localcluster.image_builds.catalogue import platform_images
from localcluster.install import kserve
from localcluster.install.prerequisites import ENVOY_GATEWAY_NAMESPACE as GATEWAY
from localcluster.install.release import WRITER
from localcluster.kind import bringup, cluster, commands, programs
from localcluster.paths import PLATFORM, REPOSITORY, Paths
from localcluster.steps.graph import Graph
from localcluster.steps.task import Task
from localcluster.versions import module
from tests.support.machine.recording_programs import RecordingPrograms

NODE_IMAGE = "kindest/node:v1.36.4@sha256:099e049362a1526b2db71494e1947aae99bd16290d7c895f2b7ea312e3cbfaed"
OURS = {"30080": "30080", "30833": "30833"}
MANAGER = "kserve-controller-manager"


def a_node(image: str = NODE_IMAGE, ports: dict[str, str] | None = None, running: bool = True) -> str:
    """What `docker inspect` says of the cluster's node."""
    bindings = {
        f"{inside}/tcp": [{"HostIp": "127.0.0.1", "HostPort": outside}]
        for outside, inside in {**(OURS if ports is None else ports), "41999": "6443"}.items()
    }
    return json.dumps(
        [{"Config": {"Image": image}, "HostConfig": {"PortBindings": bindings}, "State": {"Running": running}}]
    )


def a_deployment() -> str:
    status = {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}
    return json.dumps({"metadata": {"generation": 1}, "spec": {"replicas": 1}, "status": status})


def an_evaluator(image: str) -> str:
    """The platform's Deployments: one beside the operator's, made when the image had this digest."""
    pod = {"metadata": {}, "spec": {"containers": [{"image": "docker.io/modelyard/operator:0.1.0"}]}}
    metadata = {"name": "evaluator", "annotations": {"modelyard.dev/image": image}}
    return json.dumps({"items": [{"metadata": metadata, "spec": {"template": pod}}]})


def kserve_chart() -> str:
    """What Helm makes of KServe's chart, as far as it is looked into."""
    container = {"name": "manager", "image": "kserve/kserve-controller:v0.20.0", "args": [], "readinessProbe": {}}
    pod = {"template": {"spec": {"containers": [container, {"name": "kube-rbac-proxy"}]}}}
    return yaml.safe_dump({"kind": "Deployment", "metadata": {"name": MANAGER}, "spec": pod})


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A clone's folders, with the sources that Go would download."""
    found, chart = Paths(tmp_path / "home", tmp_path / "cache"), "charts/gateway-helm"
    for thing, files in {
        "envoy-gateway": (f"{chart}/values.tmpl.yaml", f"{chart}/charts/crds/crds/generated/a.yaml"),
        "gateway-api": ("config/crd/standard/b.yaml",),
        "kserve": ("charts/kserve-resources/Chart.yaml", *(f"config/crd/full/{name}" for name in kserve.CRDS)),
    }.items():
        for file in files:
            place = found.module_cache / "@".join(module(thing)) / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("{}\n")
    return found


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordingPrograms:
    """Docker and kind that work, kubectl and Helm that find everything ready; no cluster yet."""
    made = RecordingPrograms(tmp_path / "programs", "docker", "kind", "kubectl", "helm")
    secret = {name: base64.b64encode(b"key").decode() for name in ("accessKeyId", "secretAccessKey")}
    kubectl = f"kubectl --kubeconfig={tmp_path}/home/kubeconfig"
    made.answer(
        {
            "docker version": "linux/amd64\n",
            "docker image inspect": "sha256:0123\n",
            "docker inspect modelyard-control-plane": a_node(),
            "kind version": "kind v0.33.0 go1.27.1 linux/amd64\n",
            "kind get nodes": "modelyard-control-plane\n",
            f"{kubectl} get crd -o json": json.dumps({"items": []}),
            f"{kubectl} get deployment {MANAGER}": a_deployment(),
            f"{kubectl} get deployments -n modelyard-system -o json": an_evaluator("sha256:0123"),
            f"{kubectl} get deployment envoy-gateway -n {GATEWAY} --ignore-not-found -o json": a_deployment(),
            f"{kubectl} get secret {WRITER} -n modelyard-system --ignore-not-found": WRITER,
            f"{kubectl} get secret {WRITER} -n modelyard-system -o json": json.dumps({"data": secret}),
            f"helm --kubeconfig={tmp_path}/home/kubeconfig template": kserve_chart(),
        }
    )
    monkeypatch.setenv("PATH", made.path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "no-virtual-environment"))
    return made


def carried_out(paths: Paths) -> None:
    Graph(bringup.steps(paths), paths.logs).run()


def shortened(lines: list[str], paths: Paths) -> list[str]:
    """Command lines with the folders of this run by name."""
    places = {str(paths.home): "HOME", str(paths.cache): "CACHE", f"{REPOSITORY}/": "", f" {REPOSITORY}": " ."}
    for place, name in places.items():
        lines = [line.replace(place, name) for line in lines]
    return lines


def build(name: str, context: str) -> list[str]:
    reference, recipe = f"docker.io/modelyard/{name}:0.1.0", f"platform/images/{name}/Dockerfile"
    return [
        f"docker build --provenance=false --tag {reference} --file {recipe} {context}",
        f"docker image inspect --format {{{{.Id}}}} {reference}",
    ]


def test_docker_builds_every_image_from_the_one_recipe_there_is_bases_first(
    recorded: RecordingPrograms, paths: Paths
) -> None:
    carried_out(paths)

    assert shortened(recorded.calls("docker"), paths) == [
        "docker version --format {{.Server.Os}}/{{.Server.Arch}}",
        *build("operator", "platform"),
        *build("triton-cpu", "platform"),
        *build("builder", "."),
    ]


def test_kind_makes_the_cluster_and_is_given_every_image(recorded: RecordingPrograms, paths: Paths) -> None:
    carried_out(paths)

    calls = shortened(recorded.calls("kind"), paths)
    assert calls[:3] == [
        "kind version",
        "kind get clusters",
        "kind create cluster --name modelyard --config platform/localcluster/kind/cluster.yaml "
        "--kubeconfig HOME/kubeconfig --wait 120s",
    ]
    assert sorted(calls[3:]) == [
        f"kind load docker-image docker.io/modelyard/{name}:0.1.0 --name modelyard"
        for name in ("builder", "operator", "triton-cpu")
    ]


def test_helm_installs_the_same_charts_with_published_images(recorded: RecordingPrograms, paths: Paths) -> None:
    carried_out(paths)

    helm = "helm --kubeconfig=HOME/kubeconfig"
    controller = "kserve.controller"
    assert shortened(recorded.calls("helm"), paths) == [
        f"{helm} template kserve CACHE/go/mod/github.com/kserve/kserve@v0.20.0/charts/kserve-resources -n kserve "
        f"--set {controller}.deploymentMode=Standard --set {controller}.gateway.ingressGateway.enableGatewayApi=true "
        f"--set {controller}.gateway.ingressGateway.kserveGateway=modelyard-system/modelyard "
        f"--set {controller}.gateway.ingressGateway.className=modelyard "
        f"--set {controller}.gateway.disableIstioVirtualHost=true --set {controller}.gateway.domain=models.local",
        f"{helm} upgrade --install envoy-gateway HOME/kind/envoy-gateway/chart -n envoy-gateway-system "
        "--create-namespace -f HOME/kind/envoy-gateway/values.yaml --timeout 3m",
        f"{helm} upgrade --install modelyard charts/modelyard -n modelyard-system --create-namespace "
        "-f platform/localcluster/kind/values.yaml "
        r"--set-string operator.podAnnotations.modelyard\.dev/image=sha256:0123 "
        "--set-string config.build.trainImage= --set recorder.replicas=0 --set gateway.tracing.enabled=false "
        "--set-string config.mlflow.url= --wait --timeout 10m",
    ]
    objects = list(yaml.safe_load_all((paths.home / "kind" / "kserve" / "objects.yaml").read_text()))
    [manager] = objects[-1]["spec"]["template"]["spec"]["containers"]
    assert manager["image"] == "kserve/kserve-controller:v0.20.0"
    assert "command" not in manager
    assert "docker.io/envoyproxy/gateway:v1.9.1" in (paths.home / "kind" / "envoy-gateway" / "values.yaml").read_text()


def test_kubectl_applies_definitions_before_what_needs_them(recorded: RecordingPrograms, paths: Paths) -> None:
    carried_out(paths)

    applied = [line for line in shortened(recorded.calls("kubectl"), paths) if " apply " in line and "-f CACHE" in line]
    go = "CACHE/go/mod/"
    assert [part.removeprefix(go) for line in applied for part in line.split() if part.startswith(go)][:3] == [
        "sigs.k8s.io/gateway-api@v1.6.1/config/crd/standard",
        "github.com/envoyproxy/gateway@v1.9.1/charts/gateway-helm/charts/crds/crds/generated",
        "github.com/kserve/kserve@v0.20.0/config/crd/full/serving.kserve.io_clusterservingruntimes.yaml",
    ]


def test_a_person_s_commands_find_store_and_gateway_on_this_machine(recorded: RecordingPrograms, paths: Paths) -> None:
    carried_out(paths)

    written: dict[str, Any] = yaml.safe_load(paths.config.read_text())
    assert written["gateway"]["url"] == written["gateway"]["publicUrl"] == "http://127.0.0.1:30080"
    assert written["store"]["endpoint"] == "http://127.0.0.1:30833"
    values = yaml.safe_load(bringup.VALUES.read_text())
    assert values["gateway"]["service"] == {"type": "NodePort", "nodePort": 30080}
    assert values["embeddedStore"]["service"] == {"type": "NodePort", "nodePort": 30833}
    assert cluster.Shape.wanted().ports == {"127.0.0.1:30080": 30080, "127.0.0.1:30833": 30833}


def test_a_cluster_that_is_there_is_used_again(recorded: RecordingPrograms, paths: Paths) -> None:
    recorded.answer({"kind get clusters": "other\nmodelyard\n"})

    assert cluster.ensure(Task(paths.logs / "x.log"), paths.kubeconfig) == "present"

    assert recorded.calls("docker") == ["docker inspect modelyard-control-plane"]
    assert shortened(recorded.calls("kind"), paths) == [
        "kind get clusters",
        "kind get nodes --name modelyard",
        "kind export kubeconfig --name modelyard --kubeconfig HOME/kubeconfig",
    ]


def test_a_cluster_that_stands_still_is_started(recorded: RecordingPrograms, paths: Paths) -> None:
    recorded.answer({"kind get clusters": "modelyard\n", "docker inspect": a_node(running=False)})
    recorded.answer({"docker inspect modelyard-control-plane": a_node(running=False)})

    assert cluster.ensure(Task(paths.logs / "x.log"), paths.kubeconfig) == "started"

    assert recorded.calls("docker")[-1] == "docker start modelyard-control-plane"


OTHER_SHAPES: dict[str, dict[str, str]] = {
    "its node runs kindest/node:v1.30.0 and not kindest/node:v1.36.4": {
        "docker inspect modelyard-control-plane": a_node("kindest/node:v1.30.0")
    },
    "127.0.0.1:30833 does not lead to its port 30833": {
        "docker inspect modelyard-control-plane": a_node(ports={"30080": "30080", "30833": "80"})
    },
    "its nodes are modelyard-control-plane, modelyard-worker and not": {
        "kind get nodes": "modelyard-worker\nmodelyard-control-plane\n"
    },
}


@pytest.mark.parametrize("sentence", OTHER_SHAPES)
def test_a_cluster_of_that_name_and_another_shape_is_left_alone(
    recorded: RecordingPrograms, paths: Paths, sentence: str
) -> None:
    recorded.answer({"kind get clusters": "modelyard\n", **OTHER_SHAPES[sentence]})

    with pytest.raises(NotPossible) as refused:
        carried_out(paths)

    assert sentence in str(refused.value)
    assert "kind delete cluster --name modelyard" in str(refused.value)
    assert {line.split()[1] for line in recorded.calls("kind")} == {"version", "get"}


@pytest.mark.parametrize("name", programs.BROUGHT_BY_THE_USER)
def test_a_program_that_the_user_has_not_brought_is_named_before_anything_is_done(
    recorded: RecordingPrograms, paths: Paths, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (recorded.folder / "bin" / name).unlink()
    monkeypatch.setenv("PATH", str(recorded.folder / "bin"))

    with pytest.raises(NotPossible, match=f"The program {name} is missing: install "):
        carried_out(paths)

    assert [line for other in programs.BROUGHT_BY_THE_USER for line in recorded.calls(other)] == []


UNFIT: dict[str, dict[str, str | None]] = {
    "Docker's daemon does not answer: start it": {"docker version": None},
    "Docker runs linux/arm64 here": {"docker version": "linux/arm64\n"},
    r"This is kind v0\.20\.0: install kind 0\.33 or newer": {"kind version": "kind v0.20.0 go1.20.4 linux/amd64\n"},
}


@pytest.mark.parametrize("sentence", UNFIT)
def test_a_program_that_is_not_fit_is_said_in_a_sentence(
    recorded: RecordingPrograms, paths: Paths, sentence: str
) -> None:
    recorded.answer(UNFIT[sentence])

    with pytest.raises(NotPossible, match=sentence):
        carried_out(paths)

    assert "kind create" not in " ".join(recorded.calls("kind"))


def test_the_end_takes_the_cluster_and_nothing_else(recorded: RecordingPrograms, paths: Paths) -> None:
    task = Task(paths.logs / "down.log")

    assert commands.down(task) is False
    recorded.answer({"kind get clusters": "modelyard\n"})
    assert commands.down(task) is True

    assert recorded.calls("kind")[-1] == "kind delete cluster --name modelyard"


def test_new_images_are_built_loaded_and_rolled_out_without_touching_the_rest(
    recorded: RecordingPrograms, paths: Paths
) -> None:
    recorded.answer({"kind get clusters": "modelyard\n"})

    Graph(bringup.image_steps(paths), paths.logs).run()

    assert len([line for line in recorded.calls("kind") if "load docker-image" in line]) == 3
    assert [line.split()[2:5] for line in recorded.calls("helm")] == [["upgrade", "--install", "modelyard"]]
    assert not [line for line in recorded.calls("kubectl") if " rollout " in line]


def test_what_runs_an_older_image_of_the_same_name_is_restarted(recorded: RecordingPrograms, paths: Paths) -> None:
    kubectl = f"kubectl --kubeconfig={paths.kubeconfig} get deployments -n modelyard-system -o json"
    recorded.answer({"kind get clusters": "modelyard\n", kubectl: an_evaluator("sha256:older")})

    Graph(bringup.image_steps(paths), paths.logs).run()

    lines = shortened(recorded.calls("kubectl"), paths)
    assert [line.split(" -n ")[0].partition(" rollout ")[2] for line in lines if " rollout " in line] == [
        "restart deployment/evaluator",
        "status deployment/evaluator",
    ]
    assert any("annotate --overwrite deployment evaluator" in line and "sha256:0123" in line for line in lines)


def test_every_image_of_a_first_start_is_one_that_the_other_cluster_has_too() -> None:
    wanted = {name.removeprefix("image-") for name in names() if name.startswith("image-")}

    assert wanted == {image.name for image in platform_images() if not image.addon}
    assert all((PLATFORM / "images" / name / "Dockerfile").is_file() for name in wanted)


def names() -> list[str]:
    return [step.name for step in bringup.steps(Paths(Path("home"), Path("cache")))]


def test_the_choice_is_read_from_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(existing.VARIABLE, "kind")

    assert commands.chosen()
    assert not existing.chosen()
