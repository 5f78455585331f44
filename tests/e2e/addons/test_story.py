"""One story from end to end: other people ask, everybody concerned is told, and a retrained version takes over.

Brings the add-ons monitoring, recording and training, the last of gigabytes. People, receivers of alerts and the Model
are those of `make demo-monitoring`; after each step a person sees it by the command for it.
"""

import json
import random
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo.monitoring.asking import Asking
from demo.monitoring.people import batches, census
from demo.monitoring.receivers import Receivers
from demo.monitoring.story import DECLARED, MANIFEST
from modelyard.core.prometheus_rules.data_alerts import BROKEN, DECAYED
from tests.support.cluster.kubectl import PLATFORM, ROOT, eventually, get, items, kubectl, run
from tests.support.cluster.local_cluster import localcluster
from tests.support.cluster.models import applied, condition, gateway, until

pytestmark = pytest.mark.proof
NAME = "census"
ENTRY = f"census-{random.randrange(10**8)}"
"""One that no run before has pushed, because a version never changes."""
ADDONS = "monitoring recording training"
ROWS, BEFORE_A_SECOND, LATER_A_SECOND = 4, 2.0, 8.0
MINUTES, TRAINED_SECONDS = 900, 900
"""Minutes are looked at two minutes after them, and labels every other minute; several times that."""
EVERY = 10.0
COUNT = {"accuracy", "auc"}
CONFIG_YAML = ("get", "configmap", "modelyard-operator", "-n", PLATFORM, "-o", r"jsonpath={.data.config\.yaml}")


def _there() -> bool:
    """Whether the platform has recorders and the trainer, and Prometheus runs."""
    config = yaml.safe_load(kubectl(*CONFIG_YAML).stdout)
    recorded = get("deployment", "modelyard-recorder", PLATFORM) is not None
    trained = bool(config["build"].get("trainImage"))
    return trained and recorded and get("deployment", "prometheus", "monitoring") is not None


@pytest.fixture(scope="module", autouse=True)
def _addons() -> Iterator[None]:
    if _there():
        yield
        return
    localcluster("up", "--addons", ADDONS)
    yield
    localcluster("up")


def typed(*words: str, stdin: str = "") -> str:
    """What a command prints."""
    return run(*words, stdin=stdin, seconds=300).stdout


@pytest.fixture
def receivers(namespace: str) -> Iterator[Receivers]:
    with Receivers(typed, namespace) as there:
        yield there


@pytest.fixture
def asking(namespace: str, tmp_path: Path) -> Iterator[Asking]:
    """The Model serves and is recorded; people that it knows ask it."""
    run("modelyard", "push", str(census("with_recipe").write(tmp_path / "entry", ENTRY, "1")))
    for alias in ("challenger", "champion"):
        run("modelyard", "alias", "set", ENTRY, alias, "1")
    made = yaml.safe_load((ROOT / MANIFEST).read_text())
    made["metadata"] = {"name": NAME, "namespace": namespace}
    made["spec"]["source"] = {"name": ENTRY, "alias": "challenger"}
    applied(made)
    until(NAME, namespace, "Ready", "True", seconds=300)
    recorded = "modelyard.dev/recorded=true"
    eventually(lambda: len(items("httproutes,grpcroutes", namespace, recorded)) == 3, "requests are recorded", 120)
    people = batches("synthetic", ROWS, 1)
    with Asking(f"http://{gateway()}", namespace, NAME, people, BEFORE_A_SECOND) as there:
        yield there


def status(namespace: str) -> dict[str, Any]:
    return (get("model", NAME, namespace) or {}).get("status", {})


def told(namespace: str, of: str) -> dict[str, Any]:
    """`status.monitoring.data` or `.performance`, empty before there is any."""
    return status(namespace).get("monitoring", {}).get(of, {})


def says(namespace: str, of: str, verdict: str, meanwhile: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """What is told once it has this verdict; `meanwhile` is done before each look."""

    def looked() -> dict[str, Any]:
        meanwhile()
        found = told(namespace, of)
        return found if found.get("verdict") == verdict else {}

    return eventually(looked, verdict, MINUTES, EVERY)


def verb(namespace: str, word: str, code: int, *shown: str) -> None:
    """`modelyard WORD` ends with that code and shows these words."""
    done = run("modelyard", word, NAME, "-n", namespace, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    text = " ".join(done.stdout.split())
    assert [words for words in shown if words not in text] == [], text


def paged(receivers: Receivers, namespace: str, alert: str, how: str = "FIRING") -> None:
    """Mail and Slack have been told, with what to type next."""
    title = f"[{how}] {alert} {namespace}/{NAME}"
    arrived = eventually(
        lambda: (found := receivers.messages(title)) and {one.by for one in found} == {"mail", "slack"} and found,
        f"mail and Slack say {title}", MINUTES, 5,
    )  # fmt: skip
    assert {f"{NAME} -n {namespace}" in one.text for one in arrived} == {True}


def measured(found: dict[str, Any]) -> dict[str, float]:
    return {one["name"]: one["value"] for one in found["measures"] if one["name"] in COUNT}


def asked_of_prometheus(query: str) -> float:
    """The one value that it has."""
    path = "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query?query="
    answer = json.loads(kubectl("get", "--raw", path + urllib.parse.quote(query)).stdout)
    [sample] = answer["data"]["result"]
    return float(sample["value"][1])


def test_other_people_ask_and_a_retrained_version_is_right_about_them(
    namespace: str, receivers: Receivers, asking: Asking
) -> None:
    says(namespace, "data", "AsReference", asking.hand_in)
    before = measured(says(namespace, "performance", "PerformanceKept", asking.hand_in))
    assert asking.share_right() > 0.8
    assert receivers.messages(f"{namespace}/{NAME}") == []
    verb(namespace, "drift", 0)
    verb(namespace, "get", 0, f"{NAME} 1 yes 100%")

    asking.people, asking.rate = batches("later", ROWS, 2), LATER_A_SECOND
    asking.count_anew()
    broken = says(namespace, "data", "DataBroken")
    assert {one["name"] for one in broken["worst"] if one["kind"] == "outside"} <= {"input[6]", "input[7]"}
    verb(namespace, "drift", 1, "input[7]")
    verb(namespace, "explain", 1, "The data broke")
    paged(receivers, namespace, BROKEN)

    kubectl("patch", "model", NAME, "-n", namespace, "--type=merge", "-p", DECLARED)
    assert asking.share_right() < 0.6
    after = says(namespace, "performance", "PerformanceDecayed", asking.hand_in)
    assert after["worst"][0]["share"] > after["worst"][0]["reference"] + 0.1
    assert measured(after)["auc"] < before["auc"] - 0.05
    verb(namespace, "explain", 1, "Answers are worse than the reference")
    verb(namespace, "quality", 1, "are wrong; of the reference")
    paged(receivers, namespace, DECAYED)
    assert condition(get("model", NAME, namespace), "Ready")["status"] == "True"

    begun = eventually(lambda: status(namespace).get("retraining", {}).get("run"), "it trains", MINUTES, EVERY)
    assert (begun["causes"], begun["version"]) == (["decay"], "1")
    last = eventually(lambda: status(namespace)["retraining"].get("last"), "it has ended", TRAINED_SECONDS, EVERY)
    assert (last["outcome"], last.get("made")) == ("Pushed", "2"), last["message"]
    [promoted, *_] = eventually(
        lambda: status(namespace).get("rollout", {}).get("history"), "the challenger is promoted", MINUTES, EVERY
    )
    assert status(namespace)["version"] == "2"
    assert (promoted["outcome"], promoted["version"], promoted["strategy"]) == ("Promoted", "2", "Canary")
    of_model = f'{{namespace="{namespace}",model="{NAME}"}}'
    assert asked_of_prometheus(f"max(modelyard_retraining_last_success_timestamp_seconds{of_model})") > 0
    assert asked_of_prometheus(f"max(modelyard_retraining_failures{of_model})") == 0

    paged(receivers, namespace, DECAYED, "RESOLVED")
    asking.count_anew()
    says(namespace, "performance", "PerformanceKept", asking.hand_in)
    assert asking.share_right(promoted["revision"]) > 0.7
    verb(namespace, "explain", 0, "Pushed")
    verb(namespace, "slo", 0)
    assert (asking.failures, asking.last_failure) == (0, "")
    assert "retraining" in run("modelyard", "lineage", NAME, "-n", namespace).stdout
    assert f"{ENTRY}@champion is {ENTRY}:1" in run("modelyard", "alias", "list", ENTRY).stdout
