"""What a rollout publishes beside the weights, asked of a real Envoy: a mirror, a preview, users who keep their side.

The routes are those of `modelyard.core`, for a made-up Model `tried` whose two revisions are the pods of a real one
under two Services. Everybody asks whether the server is ready, which every revision answers.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import grpc
import httpx
import pytest

from modelyard.api.model import Model
from modelyard.api.rollout import AB
from modelyard.core.names import MODEL_LABEL, REVISION_HEADER, predictor, preview_host, preview_route_name
from modelyard.core.resources.routes import routes
from modelyard.core.resources.traffic_policies import Backend, Publication, policies
from modelyard.core.revisions.route_status import route_failure
from modelyard.settings import GatewaySettings
from tests.support.cluster.kubectl import apply, eventually, get, items, kubectl
from tests.support.cluster.models import a_model, applied, gateway, host, until

NAME, STABLE, CANDIDATE = "tried", "tried-stable", "tried-candidate"
JOINING = (1_000_000, 1)
SETTLE = 2.0
USERS = 1000
CHI_SQUARE = 15.1
"""One degree of freedom: a fair split goes beyond it once in 10,000 times."""


def publish(namespace: str, weights: tuple[int, int], wish: Publication) -> None:
    """Routes with these weights for stable and candidate, as the operator writes them, until the gateway has them."""
    model = Model.model_validate(
        {
            "metadata": {"name": NAME, "namespace": namespace, "uid": "none"},
            "spec": {"source": {"name": "digits", "version": "1"}},
        }
    )
    settings = GatewaySettings(domain=host("", "").lstrip("."))
    backends = [Backend(STABLE, "a", weights[0]), Backend(CANDIDATE, "b", weights[1])]
    made = routes(model, backends, settings, wish)
    apply(*(_unowned(one) for one in (*policies(model, wish), *made)))

    def carried() -> bool:
        seen = [get(one["kind"], one["metadata"]["name"], namespace) for one in made]
        return all(one is not None and route_failure(one, settings) is None for one in seen)

    eventually(carried, f"the gateway carries the routes at {weights}")
    time.sleep(SETTLE)


def _unowned(thing: dict[str, Any]) -> dict[str, Any]:
    """Not a child of any Model, or the operator and the garbage collector would see to it."""
    metadata = {key: value for key, value in thing["metadata"].items() if key not in ("ownerReferences", "labels")}
    return {**thing, "metadata": metadata}


@dataclass(frozen=True)
class Asking:
    """Ways to ask: `ask(way, headers)` gives who answered and the cookie that came with it."""

    namespace: str
    http: httpx.Client
    ready: Any

    def __call__(self, way: str, headers: dict[str, str]) -> tuple[str, str]:
        if way == "gRPC":
            _, call = self.ready.with_call(b"", timeout=20, metadata=[(k.lower(), v) for k, v in headers.items()])
            said = dict(call.initial_metadata())
            return said[REVISION_HEADER], said.get("set-cookie", "").partition(";")[0]
        path, called = ("", {"Host": host(NAME, self.namespace)}) if way == "by host" else (self._prefix, {})
        answer = self.http.get(f"{path}/v2/health/ready", headers={**called, **headers})
        assert answer.status_code == httpx.codes.OK, f"{way}: {answer.status_code} {answer.text}"
        return answer.headers[REVISION_HEADER], answer.headers.get("set-cookie", "").partition(";")[0]

    @property
    def _prefix(self) -> str:
        return f"/{self.namespace}/{NAME}"


@pytest.fixture(scope="module")
def tried() -> Iterator[str]:
    """A namespace with both revisions' Services, and nothing published yet."""
    namespace = f"test-publication-{int(time.time())}"
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    applied(a_model("digits", namespace))
    until("digits", namespace, "Reconciling", "False", "Done")
    [real] = [one for one in items("services", namespace, f"{MODEL_LABEL}=digits") if _of_pods(one)]
    for revision in (STABLE, CANDIDATE):
        spec = {key: real["spec"][key] for key in ("selector", "ports")}
        apply({"apiVersion": "v1", "kind": "Service", "metadata": _named(predictor(revision), namespace), "spec": spec})
    yield namespace
    kubectl("delete", "namespace", namespace, "--wait=false")


def _of_pods(service: dict[str, Any]) -> bool:
    return service["metadata"]["name"].endswith("-predictor") and bool(service["spec"].get("selector"))


def _named(name: str, namespace: str) -> dict[str, str]:
    return {"name": name, "namespace": namespace}


@pytest.fixture
def asking(tried: str) -> Iterator[Asking]:
    """Ways to ask the Model `tried`."""
    channel = grpc.insecure_channel(gateway(), options=[("grpc.default_authority", host(NAME, tried))])
    forgetful = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # it speaks for many users
    with channel, httpx.Client(base_url=f"http://{gateway()}", timeout=20, cookies=forgetful) as client:
        yield Asking(tried, client, channel.unary_unary("/inference.GRPCInferenceService/ServerReady"))


def sides(visits: Callable[[int], set[str]]) -> Counter[str]:
    """How many users each side had; fails when one of them saw both."""
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(visits, range(USERS)))
    both = [user for user, who in enumerate(seen) if len(who) != 1]
    assert both == [], f"{len(both)} users saw both sides"
    return Counter(next(iter(who)) for who in seen)


def chi_square(counts: Counter[str], percent: int) -> float:
    """Of the users' split against the weight."""
    expected = USERS * percent / 100
    return (counts[CANDIDATE] - expected) ** 2 * (1 / expected + 1 / (USERS - expected))


def test_users_named_by_a_header_keep_their_side_over_every_way_in(tried: str, asking: Asking) -> None:
    wish = Publication(sticky=AB(weight=30, header="x-user-id"))
    for weights in ((100, 0), JOINING, (70, 30)):
        publish(tried, weights, wish)

    with ThreadPoolExecutor(5) as at_once:

        def visits(user: int) -> set[str]:
            named = {"x-user-id": f"user-{user}"}
            ways = ("by host", "by host", "by host", "by path", "gRPC")
            return {who for who, _ in at_once.map(lambda way: asking(way, named), ways)}

        counts = sides(visits)

    assert chi_square(counts, 30) < CHI_SQUARE, counts


def test_users_remembered_by_a_cookie_keep_their_side(tried: str, asking: Asking) -> None:
    wish = Publication(sticky=AB(weight=30, cookie="side"))
    for weights in ((100, 0), JOINING, (70, 30)):
        publish(tried, weights, wish)

    def visits(user: int) -> set[str]:
        way = ("by host", "by path", "gRPC")[user % 3]
        first, cookie = asking(way, {})
        assert cookie.startswith("side=")
        again = [asking(way, {"Cookie": f"theme=dark; {cookie}; lang=de"}) for _ in range(4)]
        assert all(more == "" for _, more in again), "who has a side is not given another"
        return {first, *(who for who, _ in again)}

    counts = sides(visits)

    assert chi_square(counts, 30) < CHI_SQUARE, counts


def test_users_see_nothing_of_a_mirror_that_comes_and_goes(tried: str, asking: Asking) -> None:
    publish(tried, (100, 0), Publication())
    answered: list[str] = []
    stop = threading.Event()

    def visit(way: str) -> None:
        while not stop.is_set():
            answered.append(asking(way, {})[0])

    with ThreadPoolExecutor(3) as pool:
        visitors = [pool.submit(visit, way) for way in ("by host", "by path", "gRPC")]
        for _ in range(3):
            publish(tried, (100, 0), Publication(mirror=(CANDIDATE, 50)))
            publish(tried, (100, 0), Publication())
        publish(tried, (100, 0), Publication(mirror=(CANDIDATE, 50)))
        stop.set()
        for visitor in visitors:
            visitor.result()

    assert set(answered) == {STABLE}
    for route in (f"httproute/{tried}/{NAME}", f"httproute/{tried}/{NAME}--path", f"grpcroute/{tried}/{NAME}"):
        assert mirrored(f"{route}/rule/0-mirror-0") > 0


def mirrored(cluster: str) -> float:
    """Requests Envoy counted for a cluster."""
    pods = items("pods", "envoy-gateway-system", "app.kubernetes.io/component=proxy")
    total = 0.0
    for pod in pods:
        place = f"/api/v1/namespaces/envoy-gateway-system/pods/{pod['metadata']['name']}:19001/proxy"
        text = kubectl("get", "--raw", f"{place}/stats/prometheus?usedonly&filter=mirror").stdout
        wanted = f'envoy_cluster_upstream_rq_total{{envoy_cluster_name="{cluster}"}} '
        total += sum(float(line.removeprefix(wanted)) for line in text.splitlines() if line.startswith(wanted))
    return total


def test_the_preview_host_answers_from_the_candidate_until_it_is_removed(tried: str, asking: Asking) -> None:
    hostname = preview_host(NAME, tried, host("", "").lstrip("."))
    publish(tried, (100, 0), Publication(preview=CANDIDATE))

    def preview() -> httpx.Response:
        return asking.http.get("/v2/health/ready", headers={"Host": hostname})

    assert [preview().headers[REVISION_HEADER] for _ in range(20)] == [CANDIDATE] * 20
    assert asking("by host", {})[0] == STABLE
    kubectl("delete", "httproute,grpcroute", preview_route_name(NAME), "-n", tried)
    eventually(lambda: preview().status_code == httpx.codes.NOT_FOUND, "the preview host is gone")
