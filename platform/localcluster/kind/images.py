"""The platform's images in the kind cluster: built by Docker, which caches by itself, and loaded into the node."""

from localcluster.image_builds.catalogue import Image, platform_images
from localcluster.steps.task import Task

from .cluster import NAME


def wanted() -> list[Image]:
    """Every image of the platform that a first start needs, bases before what is built on them."""
    return [image for image in platform_images() if not image.addon]


def build(task: Task, image: Image) -> str:
    """The image's digest in Docker, which built it from the Dockerfile where something changed."""
    task.say("building")
    task.run(
        # kind cannot load an image that carries attestations out of Docker's newer image store.
        "docker", "build", "--provenance=false", "--tag", image.reference, "--file", image.dockerfile, image.context,
        hint=f"Read the log; the recipe is {image.dockerfile}.",
    )  # fmt: skip
    return task.run("docker", "image", "inspect", "--format", "{{.Id}}", image.reference).strip()


def load(task: Task, image: Image) -> None:
    """Give the image to the node; kind leaves out one that is there."""
    task.run("kind", "load", "docker-image", image.reference, "--name", NAME)
