"""Which images there are, what each is built from, and under which digest it is kept."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.cache import digest_of, digest_of_files
from localcluster.paths import PACKAGE, PLATFORM, REPOSITORY
from localcluster.versions import local_image, platform_image, table

BASE = "docker.io/library/debian:bookworm-slim"
LOCAL_FOLDER = PACKAGE / "images"
PLATFORM_FOLDER = PLATFORM / "images"
PLATFORM_IMAGES = {
    "operator": PLATFORM,
    "triton-cpu": PLATFORM,
    "builder": REPOSITORY,
    "recorder": PLATFORM,
    "trainer": PLATFORM,
    "builder-gpu": REPOSITORY,
}
"""Their build contexts; bases before what is built on them."""
TRAINER, TRAINING, GPU = "trainer", "training", "gpu"
RECORDER, RECORDING = "recorder", "recording"
ADDONS = {TRAINER: TRAINING, RECORDER: RECORDING, "builder-gpu": GPU}
"""Images that not everybody needs, some of them gigabytes, and what they are made for.

`gpu` is built by `make images-gpu` alone.
"""


@dataclass(frozen=True)
class Image:
    """An image: its Dockerfile, its build context, and where named extra contexts come from.

    `programs` names Go builds and wheels whose folder is the extra context `programs`.
    """

    name: str
    reference: str
    context: Path
    dockerfile: Path
    programs: str = ""
    addon: str = ""
    parts: tuple[Path, ...] = field(default=())

    @property
    def bases(self) -> list[str]:
        """References after FROM, without stages of the same file and without scratch."""
        return bases(self.dockerfile.read_text())


def local_images() -> list[Image]:
    """Infrastructure images; coredns first, the cluster waits for it."""
    made_from = {
        "pause": "kubernetes",
        "coredns": "kubernetes",
        "envoy-gateway": "serving",
        "envoy": "envoy",
        "kserve-manager": "serving",
        "storage-initializer": "",
        "seaweedfs": "seaweedfs",
        "keda-operator": "keda",
        "keda-adapter": "keda",
        "prometheus": "prometheus",
        "alertmanager": "alertmanager",
        "mlflow": "",
        "opentelemetry-collector": "opentelemetry-collector",
    }
    addons: dict[str, str] = dict.fromkeys(("keda-operator", "keda-adapter"), "keda")
    addons |= dict.fromkeys(("prometheus", "alertmanager"), "monitoring")
    addons |= {"mlflow": "mlflow", "opentelemetry-collector": "tracing"}
    return [
        Image(
            name=name,
            reference=local_image(name),
            context=LOCAL_FOLDER / name,
            dockerfile=LOCAL_FOLDER / name / "Dockerfile",
            programs=programs,
            addon=addons.get(name, ""),
        )
        for name, programs in made_from.items()
    ]


def platform_images() -> list[Image]:
    """The platform's own images whose Dockerfile exists, bases before what is built on them."""
    found = []
    for name, context in PLATFORM_IMAGES.items():
        dockerfile = PLATFORM_FOLDER / name / "Dockerfile"
        if dockerfile.exists():
            parts = copied(dockerfile.read_text(), context)
            addon = ADDONS.get(name, "")
            found.append(Image(name, platform_image(name), context, dockerfile, addon=addon, parts=tuple(parts)))
    return found


def digest(image: Image, programs: Path | None, digests: dict[str, str]) -> str:
    """What an image is made of: Dockerfile, copied files, programs, bases; `digests` knows our own bases."""
    own = digest_of_files(image.context, image.parts or [image.context])
    bases_now = [digests.get(base, base) for base in image.bases]
    made = programs.name if programs else ""
    return digest_of(image.reference, image.dockerfile.read_text(), own, made, *bases_now)


def bases(text: str) -> list[str]:
    """References of FROM lines that are neither scratch nor an earlier stage."""
    stages: set[str] = set()
    found = []
    for line in _instructions(text):
        match = re.match(r"FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", line, re.IGNORECASE)
        if match:
            if match[1] not in stages and match[1] != "scratch":
                found.append(match[1])
            if match[2]:
                stages.add(match[2])
    return found


def copied(text: str, context: Path) -> list[Path]:
    """Files and folders of the build context that COPY and ADD lines name."""
    found: list[Path] = []
    for line in _instructions(text):
        match = re.match(r"(?:COPY|ADD)\s+(.*)", line, re.IGNORECASE)
        if not match or "--from=" in line:
            continue
        words = [word for word in match[1].split() if not word.startswith("--")]
        for source in words[:-1]:
            found += sorted(context.glob(source.lstrip("./").rstrip("/"))) if source not in (".", "./") else [context]
    return found


def _instructions(text: str) -> list[str]:
    """Lines of a Dockerfile with continuations joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [line.strip() for line in "\n".join(lines).replace("\\\n", " ").splitlines() if line.strip()]


def programs_folder(image: Image, builds: Callable[[str], Path], wheel: Callable[[str], Path]) -> Path | None:
    """The folder an image takes programs from: a Go build's or a wheel's."""
    if not image.programs:
        return None
    return wheel(image.programs) if "wheel" in table().get(image.programs, {}) else builds(image.programs)
