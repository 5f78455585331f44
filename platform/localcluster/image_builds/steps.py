"""Steps that make things: programs, wheels, images. All of them find their result in the cache the second time."""

from collections.abc import Iterable
from pathlib import Path

from localcluster.install import addons
from localcluster.paths import Paths
from localcluster.programs import binaries, toolchain, wheels
from localcluster.steps.graph import Step, Work
from localcluster.steps.task import Task
from localcluster.versions import table, wheel

from . import archives
from .catalogue import BASE, Image, local_images, platform_images

_CORE = ("kubernetes", "serving")
_WHEELS = ("envoy", "seaweedfs")


class Making:
    """What is made; archives and digests of images are kept here for the steps that import them."""

    def __init__(self, paths: Paths, chosen: Iterable[str] = ()) -> None:
        self.paths = paths
        self.chosen = tuple(chosen)
        every = [*local_images(), *platform_images()]
        self.images = [image for image in every if not image.addon or image.addon in self.chosen]
        self.digests: dict[str, str] = {}
        self.archives: dict[str, tuple[Path, str]] = {}

    def steps(self) -> list[Step]:
        """Every step, in the order in which the start needs the results."""
        groups = [*_CORE, *addons.builds(self.chosen)]
        return [
            Step("packages", "Debian packages", toolchain.install_packages),
            *(Step(f"build-{name}", f"Programs: {name}", self._build(name), lane="go") for name in groups),
            *(Step(f"wheel-{name}", f"Wheel: {name}", self._fetch(name)) for name in _WHEELS),
            Step("base", "Image: debian", lambda task: archives.ensure_base(self.paths, task), ("packages",)),
            *(self._image_step(image) for image in self.images),
        ]

    def platform_steps(self) -> list[Step]:
        """Only what the platform's own images need."""
        kept = {"packages", "base"} | {f"image-{image.name}" for image in self.images if image.parts}
        return [step for step in self.steps() if step.name in kept]

    def steps_for(self, name: str) -> list[Step]:
        """Only what one image needs, with the images it is built on."""
        steps = {step.name: step for step in self.steps()}
        needed, open_ = set[str](), [f"image-{name}"]
        while open_:
            step = steps[open_.pop()]
            needed.add(step.name)
            open_ += step.needs
        return [step for step in steps.values() if step.name in needed]

    def _image_step(self, image: Image) -> Step:
        needs = ["base"]
        if image.programs:
            kind = "wheel" if "wheel" in table().get(image.programs, {}) else "build"
            needs.append(f"{kind}-{image.programs}")
        needs += [f"image-{other.name}" for other in self.images if other.reference in image.bases]
        lane = "images" if BASE in image.bases or image.parts else ""
        return Step(f"image-{image.name}", f"Image: {image.name}", self._image(image), tuple(needs), lane)

    def _build(self, name: str) -> Work:
        def work(task: Task) -> str:
            return "cached" if binaries.ensure(self.paths, task, name)[1] else "built"

        return work

    def _fetch(self, name: str) -> Work:
        def work(task: Task) -> str:
            there = wheels.folder(self.paths, wheel(name)).exists()
            wheels.fetch(self.paths, task, wheel(name))
            return "cached" if there else "fetched"

        return work

    def _image(self, image: Image) -> Work:
        def work(task: Task) -> str:
            archive, key, cached = archives.ensure(self.paths, task, image, self.digests)
            self.archives[image.reference] = (archive, key)
            return "cached" if cached else "built"

        return work
