"""Go programs of the cluster, built from the module proxy and kept by content.

Kubernetes, etcd, CoreDNS, Envoy Gateway and KServe's manager share one module (go/joint), so they share compiled
packages: half the work of building them apart. etcd and the programs of Kubernetes are one program by several names,
linked once. The OpenTelemetry Collector is put together from its parts by a module of its own (go/collector). KEDA and
Prometheus need versions of their own and are built as main modules inside the read-only module cache, where their own
`replace` lines apply. Alertmanager's module comes without the files of its user interface, which its code embeds: it is
built in a copy that has a page in their place.
"""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.cache import digest_of, digest_of_files, kept, locked
from localcluster.errors import NotPossible
from localcluster.paths import PACKAGE, Paths
from localcluster.steps.task import Task
from localcluster.versions import module, version

from . import changes, toolchain

JOINT = PACKAGE / "go" / "joint"
COLLECTOR = PACKAGE / "go" / "collector"
FLAGS = ("-trimpath", "-gcflags=all=-dwarf=false")
ENOUGH_MEMORY = 10 * 2**30
_PROMETHEUS_TAGS = "remove_all_sd,enable_kubernetes_sd"
_NO_INTERFACE = "<title>Alertmanager</title><p>Without its user interface: ask /api/v2/alerts, or amtool.</p>\n"
KUBERNETES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet")


@dataclass(frozen=True)
class Build:
    """Programs built by one `go build`: file name -> package.

    `thing` names the main module in versions.yaml; without one it is that in `folder`, by default the joint module.
    `changed` says that the joint module's build reads modules as `changes` has them. `names` are further names of a
    program, `added` files (path -> content) that the module is built with and comes without.
    """

    name: str
    programs: dict[str, str]
    thing: str = ""
    folder: Path = JOINT
    names: dict[str, str] = field(default_factory=dict)
    added: dict[str, str] = field(default_factory=dict)
    changed: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    tags: str = ""

    @property
    def linker_flags(self) -> str:
        return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in self.variables.items())])


def _kubernetes_variables() -> dict[str, str]:
    """Without these the API server's /version cannot be parsed by clients."""
    number = version("kubernetes")
    major, minor, _ = number.split(".")
    said = {"gitVersion": f"v{number}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{package}.{name}": value for package in packages for name, value in said.items()}


def _gateway_variables() -> dict[str, str]:
    package = "github.com/envoyproxy/gateway/internal/cmd/version"
    return {f"{package}.envoyGatewayVersion": f"v{version('envoy-gateway')}"}


def builds() -> dict[str, Build]:
    """Every build, in the order in which a start needs them."""
    every = [
        Build(
            "kubernetes",
            {"kubernetes": "./kubernetes", "coredns": "./coredns", "pause": "./pause"},
            names=dict.fromkeys(KUBERNETES, "kubernetes"),
            variables=_kubernetes_variables(),
        ),
        Build(
            "serving",
            {
                "envoy-gateway": "github.com/envoyproxy/gateway/cmd/envoy-gateway",
                "kserve-manager": "github.com/kserve/kserve/cmd/manager",
            },
            changed=True,
            variables=_gateway_variables(),
        ),
        Build(
            "keda",
            {"keda-operator": "./cmd/operator", "keda-adapter": "./cmd/adapter"},
            "keda",
            variables={"github.com/kedacore/keda/v2/version.Version": version("keda")},
        ),
        Build(
            "prometheus",
            {"prometheus": "./cmd/prometheus"},
            "prometheus",
            variables={"github.com/prometheus/common/version.Version": version("prometheus")},
            tags=_PROMETHEUS_TAGS,
        ),
        Build("promtool", {"promtool": "./cmd/promtool"}, "prometheus", tags=_PROMETHEUS_TAGS),
        Build(
            "alertmanager",
            {"alertmanager": "./cmd/alertmanager", "amtool": "./cmd/amtool"},
            "alertmanager",
            added={f"ui/app/dist/{name}/index.html": _NO_INTERFACE for name in ("elm", "mantine")},
            variables={"github.com/prometheus/common/version.Version": version("alertmanager")},
        ),
        Build(
            "opentelemetry-collector",
            {"opentelemetry-collector": "modelyard.invalid/collector"},
            folder=COLLECTOR,
            variables={"main.version": version("opentelemetry-collector")},
        ),
    ]
    return {build.name: build for build in every}


def digest(build: Build, go_version: str) -> str:
    """What a build is made of: sources or module, flags, Go's version."""
    source = "@".join(module(build.thing)) if build.thing else digest_of_files(build.folder, [build.folder])
    changed = changes.digest() if build.changed else ""
    programs = json.dumps([build.programs, build.names, *([build.added] if build.added else [])])
    return digest_of(source, changed, go_version, *FLAGS, build.linker_flags, build.tags, programs)


def ensure(paths: Paths, task: Task, name: str) -> tuple[Path, bool]:
    """Folder with the programs of build `name`, and whether it was there already."""
    build = builds()[name]
    go = toolchain.go(paths, task)
    go_version = task.run(go, "env", "GOVERSION", env=toolchain.go_environment(paths)).strip()
    result = paths.cache / "bin" / digest(build, go_version)
    cached = kept(result, lambda unfinished: _build(paths, task, go, build, unfinished))
    return result, cached


def program(paths: Paths, task: Task, name: str) -> Path:
    """One program by its file name, built when it is not in the cache."""
    for build in builds().values():
        if name in build.programs or name in build.names:
            return ensure(paths, task, build.name)[0] / name
    raise NotPossible(f"No build makes a program called {name}.")


def collection(available: int) -> dict[str, str]:
    """How compilers and linkers collect garbage, by the bytes of memory that are available.

    A fifth of a compiler's time is its collection. Without it two compilers take 1 GB each, a linker 3 GB.
    """
    return {"GOGC": "off", "GOMEMLIMIT": "3GiB"} if available >= ENOUGH_MEMORY else {}


def available_memory(meminfo: str | None = None) -> int:
    """Bytes that programs can take without swapping, from /proc/meminfo."""
    found = re.search(r"^MemAvailable: +(\d+) kB", meminfo or Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _build(paths: Paths, task: Task, go: Path, build: Build, unfinished: Path) -> None:
    env = {**toolchain.go_environment(paths), **collection(available_memory())}
    unfinished.mkdir(parents=True)
    with locked(paths.cache / "bin" / ".go.lock"):
        cwd = folder_of(paths, task, build)
        flags = [*FLAGS, "-ldflags", build.linker_flags]
        flags += ["-tags", build.tags] if build.tags else []
        flags += ["-modfile", str(_changed_modules(paths, task))] if build.changed else []
        flags += ["-mod=mod"] if build.added else []
        task.say(f"compiling {', '.join(build.programs)}")
        task.run(
            go, "build", *flags, "-o", f"{unfinished}/", *build.programs.values(), env=env, cwd=cwd,
            hint="The Go build needs about 2.5 GB of memory and the module proxy; the log names the package.",
        )  # fmt: skip
    for wanted, package in build.programs.items():
        (unfinished / _file_name(package)).rename(unfinished / wanted)
    for name, program_name in build.names.items():
        (unfinished / name).symlink_to(program_name)


def folder_of(paths: Paths, task: Task, build: Build) -> Path:
    """Where a build begins: its module, or a copy of that with the added files, made when it is missing."""
    if not build.added:
        return source(paths, task, build.thing) if build.thing else build.folder
    folder = paths.cache / "go" / "completed" / digest_of("@".join(module(build.thing)), json.dumps(build.added))

    def complete(unfinished: Path) -> None:
        shutil.copytree(source(paths, task, build.thing), unfinished)
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)
        for name, content in build.added.items():
            (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
            (unfinished / name).write_text(content)

    kept(folder, complete)
    return folder


def _changed_modules(paths: Paths, task: Task) -> Path:
    """The go.mod by which the joint module is built with changed modules; made when it is missing."""
    folder = paths.cache / "go" / "changed" / digest_of(changes.digest(), digest_of_files(JOINT, [JOINT]))
    kept(folder, lambda unfinished: changes.write(unfinished, folder, JOINT, lambda thing: source(paths, task, thing)))
    return folder / "go.mod"


def _file_name(package: str) -> str:
    """What `go build -o DIR/` calls a package's program: its last part that is not a major version."""
    parts = [part for part in package.split("/") if not part.removeprefix("v").isdigit()]
    return parts[-1]


def source(paths: Paths, task: Task, thing: str) -> Path:
    """Folder of a module's sources, which also carry its chart and CRDs; downloaded when missing."""
    path, tag = module(thing)
    result = paths.module_cache / f"{path}@{tag}"
    if not result.exists():
        task.say(f"downloading {path} {tag}")
        go = toolchain.go(paths, task)
        env = toolchain.go_environment(paths)
        task.run(go, "mod", "download", "-json", f"{path}@{tag}", env=env, cwd=paths.cache)
    return result
