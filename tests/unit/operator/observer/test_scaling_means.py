"""What the cluster has that scales is asked for now and then; an answer stands until there is another."""

from collections.abc import Sequence

import pytest

from modelyard.core.kinds import Kind
from modelyard.core.snapshot import ScalingMeans
from modelyard.errors import Unreachable
from modelyard.operator.observer.scaling_means import ScalingMeansWatch
from modelyard.settings import GatewaySettings
from tests.support.worlds.builders import settings


class Discovery:
    """An API server that serves these groups and does not answer for others."""

    def __init__(self, *served: str) -> None:
        self.served, self.away = set(served), set[str]()

    def unserved(self, kinds: Sequence[Kind]) -> list[Kind]:
        if any(kind.group in self.away for kind in kinds):
            raise Unreachable("the API server did not answer.")
        return [kind for kind in kinds if kind.group not in self.served]


class Scene:
    """A watch, and how often all Models were woken."""

    def __init__(self, *served: str, prometheus: str = "http://prometheus:9090") -> None:
        self.discovery, self.woken = Discovery(*served), 0
        asked = settings(gateway=GatewaySettings(prometheus_url=prometheus))
        self.means = ScalingMeansWatch(self.discovery, asked, self._wake)

    def _wake(self) -> None:
        self.woken += 1


@pytest.mark.parametrize(
    ("served", "known"),
    [
        (("keda.sh", "metrics.k8s.io"), ScalingMeans(True, True)),
        (("keda.sh",), ScalingMeans(True, False)),
        ((), ScalingMeans(False, False)),
    ],
)
def test_it_knows_what_the_api_server_serves(served: tuple[str, ...], known: ScalingMeans) -> None:
    scene = Scene(*served)
    before = scene.means.known()
    scene.means.read()
    scene.means.read()

    assert before == ScalingMeans()
    assert scene.means.known() == known
    assert scene.woken == 1


def test_an_api_that_is_away_for_a_while_takes_nothing_away() -> None:
    scene = Scene("keda.sh", "metrics.k8s.io")
    scene.means.read()
    scene.discovery.away = {"metrics.k8s.io", "keda.sh"}
    scene.means.read()

    assert scene.means.known() == ScalingMeans(True, True)
    assert scene.woken == 1


def test_one_api_that_is_away_hides_no_other() -> None:
    scene = Scene("keda.sh")
    scene.discovery.away = {"metrics.k8s.io"}
    scene.means.read()

    assert scene.means.known() == ScalingMeans(True, None)
    assert scene.means.report() == "ScaledByRequests: KEDA scales by what http://prometheus:9090 counts."


def test_what_comes_or_goes_wakes_all_models_and_is_reported() -> None:
    scene = Scene()
    unknown = scene.means.report()
    scene.means.read()
    nobody = scene.means.report()
    scene.discovery.served = {"metrics.k8s.io"}
    scene.means.read()

    assert unknown.startswith("AutoscalerUnknown: ")
    assert nobody.startswith("NoAutoscaler: Nobody scales here")
    assert scene.means.report().startswith("ScaledByCpu: A HorizontalPodAutoscaler scales by CPU")
    assert scene.woken == 2


def test_it_asks_in_a_thread_of_its_own() -> None:
    scene = Scene("keda.sh")
    scene.means.start()
    for _ in range(1000):
        if scene.woken:
            break
        scene.means._stop.wait(0.01)
    scene.means.stop(10)

    assert scene.woken == 1
    assert not scene.means.alive
