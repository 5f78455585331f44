"""An entry that may not be the newest one serves, and the condition says why."""

from modelyard.core.snapshot import Failure, ResolvedEntry
from tests.support.worlds.builders import a_built_world


def test_what_keeps_a_newer_entry_away_is_said_beside_the_one_that_serves() -> None:
    world = a_built_world()
    plain = world._entry
    notice = Failure("RegistryUnreachable", "MLflow has not answered since 12:00.", retry=True)

    def noticed(model: object) -> ResolvedEntry | Failure:
        entry = plain(model)  # pyright: ignore
        assert isinstance(entry, ResolvedEntry)
        return ResolvedEntry(entry.name, entry.version, entry.digest, notice)

    world._entry = noticed  # pyright: ignore
    world.settle()

    [resolved] = [condition for condition in world.status.conditions if condition.type == "EntryResolved"]
    assert (resolved.status, resolved.reason) == ("True", "RegistryUnreachable")
    assert resolved.message.endswith("is in the registry. MLflow has not answered since 12:00.")
    assert world.status.version == "1"
