"""Words for tests of the core: settings, Models and worlds in the state a test begins with."""

from typing import Any

from modelyard.api.model import Model
from modelyard.settings import GatewaySettings, Settings
from tests.support.worlds.world import World


def settings(**groups: Any) -> Settings:
    """The defaults, whatever file or environment this machine has."""
    return Settings.model_construct(**{"gateway": GatewaySettings(public_url="http://10.0.0.1:30080/"), **groups})


def a_model(name: str = "digits", **fields: Any) -> Model:
    """A Model as the API server gives it; `status` and `metadata` are extended, the rest is its spec."""
    metadata = {"name": name, "namespace": "demo", "uid": "uid-0", "generation": 1, **fields.pop("metadata", {})}
    status = fields.pop("status", {})
    spec = {"source": {"name": "digits", "version": "1"}, "rollout": {"strategy": "Immediate"}, **fields}
    return Model.model_validate({"metadata": metadata, "spec": spec, "status": status})


def a_new_world(**spec: Any) -> World:
    """A Model was just applied; nothing has happened yet."""
    return World(settings(), a_model(**spec))


def a_built_world(**spec: Any) -> World:
    """A new world whose artifacts are in the store already."""
    world = a_new_world(**spec)
    world.build_everything()
    return world


def a_serving_world(**spec: Any) -> World:
    """Version 1 serves and all is calm."""
    world = a_built_world(**spec)
    world.settle()
    return world


def a_switching_world() -> World:
    """Version 2 has just been given the traffic of version 1, which is leaving."""
    world = a_serving_world()
    world.ask(version="2")
    world.run_until(lambda: world.stage_of("1") == "Leaving")
    return world


def a_draining_world() -> World:
    """Version 1 has no weight any more and its last requests end."""
    world = a_switching_world()
    world.run_until(lambda: world.stage_of("1") == "Draining")
    return world
