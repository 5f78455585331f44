"""What the chart lets the evaluator do in the store, tried on a real one: it evaluates, and may do nothing else."""

from collections.abc import Iterator

import pytest

from modelyard.api.monitoring.status import DataVerdict
from modelyard.clients.store import S3Store
from modelyard.core.storage.keys import build_profile
from modelyard.core.storage.monitoring_keys import detector_key, feedback_key
from modelyard.errors import Refused
from modelyard.evaluator.revision_evaluation import RevisionEvaluation
from tests.support.recording.store_identities import stores_of
from tests.unit.evaluator.conftest import DIGEST, NOON, RecordedWorld, a_revision

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[S3Store, S3Store]]:
    """The bucket as an admin and as the evaluator reach it."""
    with stores_of(tmp_path_factory.mktemp("store"), "evaluator") as stores:
        yield stores


def test_it_reads_counts_and_writes_what_they_say(stores: tuple[S3Store, S3Store]) -> None:
    admin, evaluator = stores
    world = RecordedWorld()
    for minute in range(30):
        world.broken(NOON + minute)
    for key, content in world.objects.items():
        admin.put(key, content)
    evaluation = RevisionEvaluation(evaluator, a_revision())
    while evaluation.step((NOON + 32) * 60.0):
        pass
    world.objects = {stored.key: admin.get(stored.key) or b"" for stored in admin.list("monitor/")}
    status = world.status()
    assert status is not None
    assert status.data is not None
    assert status.data.verdict is DataVerdict.BROKEN
    assert detector_key("demo", "loans", "loans-1") in world.objects


def test_it_can_do_nothing_else(stores: tuple[S3Store, S3Store]) -> None:
    admin, evaluator = stores
    labels = feedback_key("demo", "loans", "2026-11-29", "a")
    admin.put(labels, b"labels")
    admin.put("registry/digits/1/entry.json", b"{}")
    assert evaluator.get(labels) == b"labels"
    for forbidden in (
        lambda: evaluator.put(build_profile(DIGEST), b"other"),
        lambda: evaluator.put(labels, b"other"),
        lambda: evaluator.get("registry/digits/1/entry.json"),
        lambda: evaluator.delete("registry/digits/1/entry.json"),
        lambda: list(evaluator.list("registry/")),
    ):
        with pytest.raises(Refused):
            forbidden()
