"""The steps of `up`, as one graph: what exists is found and left alone, what is missing is made.

Programs and images of the cluster's own parts come first, so the control plane starts while the rest still builds.
"""

from collections.abc import Callable, Iterable

from .image_builds.steps import Making
from .install import addons, prerequisites, release
from .install.kubernetes import Kubernetes
from .node.control import Control
from .node.members import noted
from .paths import Paths
from .steps.graph import Step, Work
from .steps.task import Task
from .versions import platform_image

_USED_BY_MODELS = ("triton-cpu", "builder")
"""No pod of the platform's own runs these two, the largest: they are imported while the platform starts."""


def steps(paths: Paths, chosen: Iterable[str] = (), nodes: int = 1) -> list[Step]:
    """The whole graph for a cluster of so many nodes, with the chosen add-ons."""
    making = Making(paths, chosen)
    kubernetes = Kubernetes(paths.kubeconfig)
    return [
        *making.steps(),
        *Control(paths, making, kubernetes, nodes).steps(),
        *_prerequisites(paths, kubernetes),
        *_platform(paths, making, kubernetes),
        *addons.steps(making.chosen, paths, kubernetes),
    ]


def image_steps(paths: Paths, chosen: Iterable[str] = ()) -> list[Step]:
    """Build the platform's images anew where sources changed, import them, restart what uses them."""
    making = Making(paths, chosen)
    kubernetes = Kubernetes(paths.kubeconfig)
    control = Control(paths, making, kubernetes, noted(paths.state) or 1)
    imports = [control.import_step(image) for image in making.images if image.parts]
    needs = tuple(step.name for step in imports)
    return [*making.platform_steps(), *imports, *_release(paths, making, kubernetes, needs)]


def _prerequisites(paths: Paths, kubernetes: Kubernetes) -> list[Step]:
    def with_paths(function: Callable[[Kubernetes, Task, Paths], None]) -> Work:
        return lambda task: function(kubernetes, task, paths)

    def alone(function: Callable[[Kubernetes, Task], None]) -> Work:
        return lambda task: function(kubernetes, task)

    store = paths.state / "store"
    needs = {
        "dns": ("controllers", "import-coredns"),
        "gateway-crds": ("api-server", "build-serving"),
        "kserve-crds": ("api-server", "build-serving"),
        "kserve": ("kserve-crds", "import-kserve-manager", "controllers"),
        "envoy-gateway": ("gateway-crds", "import-envoy-gateway", "ready", "dns"),
        "store-volume": ("api-server",),
        "kserve-ready": ("kserve", "ready", "dns"),
        "envoy-gateway-ready": ("envoy-gateway",),
    }
    works: dict[str, tuple[str, Work]] = {
        "dns": ("DNS", alone(prerequisites.dns)),
        "gateway-crds": ("Gateway API definitions", with_paths(prerequisites.gateway_definitions)),
        "kserve-crds": ("KServe definitions", with_paths(prerequisites.kserve_definitions)),
        "kserve": ("KServe", with_paths(prerequisites.kserve_manager)),
        "envoy-gateway": ("Envoy Gateway", with_paths(prerequisites.envoy_gateway)),
        "store-volume": ("Volume of the store", lambda task: prerequisites.store_volume(kubernetes, task, store)),
        "kserve-ready": ("KServe answers", alone(prerequisites.wait_kserve)),
        "envoy-gateway-ready": ("Envoy Gateway answers", alone(prerequisites.wait_envoy_gateway)),
    }
    return [Step(name, title, work, needs[name]) for name, (title, work) in works.items()]


def _platform(paths: Paths, making: Making, kubernetes: Kubernetes) -> list[Step]:
    later = {platform_image(name) for name in _USED_BY_MODELS}
    imports = tuple(f"import-{image.name}" for image in making.images if image.reference not in later)
    before = tuple(name for name in making.chosen if name == addons.TRACING)
    needs = ("kserve-ready", "envoy-gateway-ready", "store-volume", *imports, *before)
    return _release(paths, making, kubernetes, needs)


def _release(paths: Paths, making: Making, kubernetes: Kubernetes, needs: tuple[str, ...]) -> list[Step]:
    if not release.CHART.exists():
        return []

    def configure(task: Task) -> None:
        mlflow = release.MLFLOW if release.has_mlflow(making.digests) else ""
        release.configure(kubernetes, task, paths.config, mlflow=mlflow)

    return [
        Step("platform", "Modelyard", lambda task: release.install(kubernetes, task, making.digests), needs),
        Step("configuration", "Configuration", configure, needs),
    ]
