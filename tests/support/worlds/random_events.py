"""What may happen to a world, one row a happening, for worlds driven at random.

A happening is a function of the world; those with a choice in them are made from a strategy. The course of
things is among them, so that people and failures come in between any two looks.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from modelyard.core.names import optimize_job_name
from modelyard.core.snapshot import Ref
from tests.support.objects.faults import FAULTS
from tests.support.worlds.world import REFUSED, World

Happening = Callable[[World], object]

EDITED = ("Secret", "ServiceAccount", "InferenceService", "HTTPRoute", "GRPCRoute", "PodDisruptionBudget")
LOST = (*EDITED, "Job", "Deployment", "Service", "Pod")
RUNTIMES = ("modelyard-triton-cpu-v1", "modelyard-triton-cpu-v2", "modelyard-triton-cpu-v3")


class Named:
    """A happening with words for it, so that a failing example can be read."""

    def __init__(self, words: str, happen: Happening) -> None:
        self.words, self.happen = words, happen

    def __repr__(self) -> str:
        return self.words


def _chosen(world: World, kinds: tuple[str, ...], number: int) -> Ref | None:
    refs = [ref for ref in sorted(world.api.objects) if ref.kind in kinds]
    return refs[number % len(refs)] if refs else None


def lose(number: int) -> Named:
    def happen(world: World) -> None:
        ref = _chosen(world, LOST, number)
        if ref is not None:
            world.lose(ref)

    return Named(f"somebody deletes child {number}", happen)


def _scribble(thing: dict[str, Any]) -> None:
    """An edit by hand that matters to what we wrote."""
    kind = thing["kind"]
    if kind == "Secret":
        thing["data"] = {"AWS_ACCESS_KEY_ID": "YQ=="}
    elif kind == "ServiceAccount":
        thing["secrets"] = [{"name": "registry-login"}]
    elif kind == "InferenceService":
        thing["spec"]["predictor"]["model"]["storageUri"] = "s3://elsewhere/"
    elif kind == "PodDisruptionBudget":
        thing["spec"]["maxUnavailable"] = 0
    else:
        thing["spec"]["parentRefs"] = [{"name": "other-gateway"}]


def edit(number: int) -> Named:
    def happen(world: World) -> None:
        ref = _chosen(world, EDITED, number)
        if ref is not None:
            world.edit(ref, _scribble)

    return Named(f"somebody edits child {number}", happen)


def fail(version: str, fault: str) -> Named:
    def happen(world: World) -> None:
        for revision in world.status.revisions if world.model["status"] else ():
            if revision.version == version:
                world.kserve.faults[revision.name] = fault

    return Named(f"pods of version {version} are {fault or 'well'}", happen)


def autoscale(number: int) -> Named:
    def happen(world: World) -> None:
        ref = _chosen(world, ("Deployment",), number)
        if ref is not None:
            world.edit(ref, lambda deployment: deployment["spec"].update(replicas=number))

    return Named(f"an autoscaler asks for {number} replicas", happen)


def upgrade(runtime: str) -> Named:
    def happen(world: World) -> None:
        serving = world.settings.serving.model_copy(update={"cpu_runtime": runtime})
        world.settings = world.settings.model_copy(update={"serving": serving})

    return Named(f"Modelyard is upgraded to {runtime}", happen)


def silence(version: str, silent: bool) -> Named:
    def happen(world: World) -> None:
        (world.mute.add if silent else world.mute.discard)(world.build_of(version))

    return Named(f"version {version} is {'silent' if silent else 'talking'}", happen)


def unlucky(version: str) -> Named:
    """Nothing is found that keeps the promises the spec makes now; the same wish written again finds no more."""

    def happen(world: World) -> None:
        if world.optimized_of(version) not in ("", *world.store):
            world.builders.ends[optimize_job_name(world.optimized_of(version))] = REFUSED

    return Named(f"version {version} cannot be optimized as the spec asks now", happen)


def switched(what: str, on: bool) -> Named:
    def happen(world: World) -> None:
        if what == "gateway":
            world.gateway.asleep = on
        else:
            setattr(world, f"{what}_away", on)

    return Named(f"the {what} is {'away' if on else 'back'}", happen)


def asking(on: bool) -> Named:
    words = "answers are on their way" if on else "answers are there"
    return Named(words, lambda world: setattr(world, "asking", on))


def pointed(version: str) -> Named:
    return Named(f"champion is {version}", lambda world: world.aliases.update(champion=version))


def wished(**spec: Any) -> Named:
    return Named(f"somebody asks for {spec}", lambda world: world.ask(**spec))


def rounds(crash_after: int | None, moves: int, seconds: float) -> Named:
    """A look that may crash, then everything around moves as often as said, and time passes."""

    def happen(world: World) -> None:
        world.look(crash_after)
        for _ in range(moves):
            world.step()
            world.look()
        world.sleep(seconds)

    return Named(f"a look (crash after {crash_after}), {moves} moves, {seconds} s", happen)


OPTIMIZATIONS = st.sampled_from([None, {}, {}, {"wait": True}, {"goal": "size"}, {"goal": "size", "wait": True}])
WISHES = st.one_of(
    st.builds(lambda version: wished(version=version), st.sampled_from(["1", "2", "2", "3", "9"])),
    st.just(wished(alias="champion")),
    st.builds(
        lambda least, more: wished(scaling={"minReplicas": least, "maxReplicas": least + more}),
        st.integers(1, 2),
        st.integers(0, 2),
    ),
    st.just(wished(scaling=None)),
    st.builds(lambda optimize: wished(optimize=optimize), OPTIMIZATIONS),
    st.builds(
        lambda cpu: wished(serving={"resources": {"requests": {"cpu": cpu}}} if cpu else {}),
        st.sampled_from([None, "500m"]),
    ),
)
ACCIDENTS = st.one_of(
    st.builds(lose, st.integers(0, 30)),
    st.builds(edit, st.integers(0, 12)),
    st.builds(fail, st.sampled_from(["1", "2"]), st.sampled_from(sorted(FAULTS))),
    st.builds(autoscale, st.integers(0, 4)),
    st.builds(upgrade, st.sampled_from(RUNTIMES)),
    st.builds(silence, st.sampled_from(["1", "2"]), st.booleans()),
    st.builds(switched, st.sampled_from(["gateway", "store", "registry"]), st.booleans()),
    st.builds(asking, st.booleans()),
    st.builds(unlucky, st.sampled_from(["1", "2"])),
    st.builds(pointed, st.sampled_from(["1", "2", "3"])),
    st.just(Named("the operator is restarted", World.restart)),
)
ROUNDS = st.builds(
    lambda crash_after, moves, seconds: rounds(crash_after, moves, seconds),
    st.one_of(st.none(), st.none(), st.integers(0, 5)),
    st.sampled_from([0, 1, 1, 1, 3]),
    st.sampled_from([0.0, 0.0, 0.5, 2.0, 31.0]),
)
HAPPENINGS = st.lists(st.one_of(ROUNDS, ROUNDS, ROUNDS, ROUNDS, WISHES, ACCIDENTS), min_size=5, max_size=40)
