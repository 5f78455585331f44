"""The commands of the runbook `roll-back-by-hand.md`, typed as they stand there, on a real API server."""

import os
import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from modelyard.api.rollout import AB
from modelyard.core.resources.routes import Backend, Publication, routes
from tests.support.operator.real_apiserver import BIN, RealApiServer
from tests.support.worlds.builders import a_model, settings

pytestmark = pytest.mark.integration

RUNBOOK = Path(__file__).resolve().parents[3] / "platform" / "docs" / "runbooks" / "roll-back-by-hand.md"
NAMESPACE, NAME = "by-hand", "digits"
STABLE, CANDIDATE = "digits-aaaaaaaaaa", "digits-bbbbbbbbbb"
IN_ALL_ROUTES = f"for route in httproute/{NAME} httproute/{NAME}--path grpcroute/{NAME}; do\n%s\ndone"
PLACES = (("httproutes", NAME), ("httproutes", f"{NAME}--path"), ("grpcroutes", NAME))


def blocks() -> list[str]:
    """The commands of the runbook, block by block, with the names of this test."""
    found = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", RUNBOOK.read_text(), re.M)]
    return [re.sub(r"\bNAME\b", NAME, re.sub(r"\bNAMESPACE\b", NAMESPACE, block)) for block in found]


def the_block(part: str) -> str:
    [found] = [block for block in blocks() if part in block]
    return found


class Person:
    """Somebody at a terminal."""

    def __init__(self, server: RealApiServer) -> None:
        self.server = server

    def types(self, commands: str) -> str:
        """What bash prints; fails with the first command that fails."""
        there = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "KUBECONFIG": str(self.server.kubeconfig),
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands], env=there, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def weights(self) -> set[tuple[int, ...]]:
        """Weights of the first rule, slot a first, of all three routes."""
        return {tuple(one["weight"] for one in rules[0]["backendRefs"]) for rules in self.rules()}

    def rules(self) -> list[list[dict[str, Any]]]:
        api = client.CustomObjectsApi(self.server.client)
        return [
            api.get_namespaced_custom_object("gateway.networking.k8s.io", "v1", NAMESPACE, plural, name)["spec"][
                "rules"
            ]
            for plural, name in PLACES
        ]

    def model(self) -> dict[str, Any]:
        api = client.CustomObjectsApi(self.server.client)
        return api.get_namespaced_custom_object("modelyard.dev", "v1alpha1", NAMESPACE, "models", NAME)


@pytest.fixture
def person(apiserver: RealApiServer) -> Iterator[Person]:
    """A canary at 25 %: slot a is the stable. Everything goes when the test is over."""
    apiserver.namespace(NAMESPACE)
    found = Person(apiserver)
    publish(found, Publication())
    model = {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Model",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"source": {"name": NAME, "version": "2"}},
    }
    apply(apiserver, model)
    yield found
    apiserver.run("kubectl", "delete", "model", NAME, "-n", NAMESPACE)


def publish(person: Person, publication: Publication) -> None:
    """The routes as the operator writes them."""
    model = a_model(metadata={"namespace": NAMESPACE})
    backends = [Backend(STABLE, "a", 75), Backend(CANDIDATE, "b", 25)]
    for route in routes(model, backends, settings().gateway, publication):
        route["metadata"].pop("ownerReferences", None)
        apply(person.server, route)


def apply(server: RealApiServer, thing: dict[str, Any]) -> None:
    words = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    done = server.run("kubectl", *words, stdin=yaml.safe_dump(thing))
    assert done.returncode == 0, done.stderr


def test_all_traffic_goes_to_slot_a_and_the_other_keeps_one_in_a_million(person: Person) -> None:
    assert person.weights() == {(75, 25)}

    person.types(the_block("/spec/rules/0/backendRefs/0/weight"))

    assert person.weights() == {(1_000_000, 1)}


def test_the_routes_are_found_by_their_label(person: Person) -> None:
    look = the_block("get httproute,grpcroute").splitlines()[0]

    told = person.types(look)

    assert [line.split()[0] for line in told.splitlines()] == [NAME, f"{NAME}--path", NAME]


def test_users_of_a_test_by_header_follow_the_weights(person: Person) -> None:
    publish(person, Publication(sticky=AB(header="x-user-id")))
    before = person.rules()

    person.types(IN_ALL_ROUTES % the_block("/spec/rules/3/backendRefs/0/weight"))

    assert [[one["weight"] for one in rules[3]["backendRefs"]] for rules in before] == [[75, 25]] * 3
    assert [[one["weight"] for one in rules[3]["backendRefs"]] for rules in person.rules()] == [[1_000_000, 1]] * 3


def test_users_of_a_test_by_cookie_are_led_to_the_other_revision(person: Person) -> None:
    publish(person, Publication(sticky=AB(cookie="side")))
    before = person.rules()

    person.types(IN_ALL_ROUTES % the_block("/spec/rules/4").replace("REVISION", STABLE))

    assert [rules[4]["backendRefs"][0]["name"] for rules in before] == [f"{CANDIDATE}-predictor"] * 3
    assert [rules[4]["backendRefs"][0]["name"] for rules in person.rules()] == [f"{STABLE}-predictor"] * 3


def test_the_model_is_told_what_the_operator_shall_want_when_it_comes_back(person: Person) -> None:
    person.types(the_block("by-hand-"))
    person.types(the_block('{"source":'))

    spec = person.model()["spec"]
    assert spec["rollout"]["command"]["action"] == "abort"
    assert spec["rollout"]["command"]["id"].startswith("by-hand-")
    assert spec["source"]["version"] == "1"


def test_the_pages_about_rollouts_show_commands_that_the_api_server_takes(person: Person) -> None:
    page = RUNBOOK.parents[1] / "rollouts.md"
    [command] = re.findall(r"^    (kubectl -n demo patch .*)$", page.read_text(), re.M)

    person.types(command.replace("-n demo", f"-n {NAMESPACE}"))

    assert person.model()["spec"]["rollout"]["command"] == {"id": "2026-01-15T10:00", "action": "abort"}
