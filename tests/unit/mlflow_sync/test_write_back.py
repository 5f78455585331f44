"""Tags and the alias of promoted versions, written into MLflow."""

import pytest

from modelyard.api.model import Model
from modelyard.clients.mlflow import MlflowServer
from modelyard.mlflow_sync.write_back import WriteBack
from tests.support.objects.rollout_statuses import CANDIDATE, a_record, a_revision, before
from tests.support.servers.mlflow.calls import MlflowUser
from tests.support.servers.mlflow.simulated import SimulatedMlflow
from tests.support.worlds.builders import a_model

STAGE = "modelyard.stage.demo.digits"


def promoted(version: str = "2", ended: float = 60) -> Model:
    history = [a_record("Promoted", version=version, stableVersion="1", endTime=before(ended))]
    revision = a_revision(CANDIDATE, version=version)
    status = {"version": version, "revision": CANDIDATE, "revisions": [revision], "rollout": {"history": history}}
    return a_model(source={"registry": "mlflow", "name": "fraud", "alias": "challenger"}, status=status)


@pytest.fixture
def registered(user: MlflowUser) -> MlflowUser:
    for _ in range(3):
        user.register("fraud")
    return user


def write(server: MlflowServer, back: WriteBack, *models: Model) -> int:
    return back.write(models, {model.name: model for model in server.models()})


def test_tags_are_written_once(registered: MlflowUser, server: MlflowServer, mlflow: SimulatedMlflow) -> None:
    back = WriteBack(server, "")

    assert write(server, back, promoted()) == 2
    mlflow.asked.clear()
    assert write(server, back, promoted()) == 0

    assert mlflow.asked == ["GET registered-models/search"]
    assert registered.tags("fraud", "2") == {STAGE: "Serving"}
    assert registered.tags("fraud", "1") == {STAGE: "Replaced"}
    assert registered.aliases("fraud") == {}


def test_a_promoted_version_gets_the_alias_once(registered: MlflowUser, server: MlflowServer) -> None:
    write(server, WriteBack(server, "champion"), promoted())
    first = registered.aliases("fraud")
    registered.set_alias("fraud", "champion", "3")
    write(server, WriteBack(server, "champion"), promoted())

    assert (first, registered.aliases("fraud")) == ({"champion": "2"}, {"champion": "3"})

    write(server, WriteBack(server, "champion"), promoted(ended=10))
    assert registered.aliases("fraud") == {"champion": "2"}, "it was promoted again"


def test_the_alias_of_a_version_that_has_it_is_left(
    registered: MlflowUser, server: MlflowServer, mlflow: SimulatedMlflow
) -> None:
    registered.set_alias("fraud", "champion", "2")

    write(server, WriteBack(server, "champion"), promoted())

    assert "modelyard.promoted.demo.digits" not in registered.tags("fraud", "2")


def test_what_mlflow_does_not_take_is_written_later(
    registered: MlflowUser, server: MlflowServer, mlflow: SimulatedMlflow
) -> None:
    back, known = WriteBack(server, "champion"), {model.name: model for model in server.models()}
    unknown = a_model(source={"registry": "mlflow", "name": "gone", "version": "1"})
    registered.delete_version("fraud", "1")
    mlflow.fails = 503
    assert back.write([promoted()], known) == 0
    mlflow.fails = 0

    assert back.write([unknown, promoted()], known) == 1
    assert registered.tags("fraud", "2")[STAGE] == "Serving"
    assert registered.aliases("fraud") == {"champion": "2"}


def test_a_promoted_version_that_is_gone_gets_no_alias(registered: MlflowUser, server: MlflowServer) -> None:
    back = WriteBack(server, "champion")
    write(server, back, promoted())
    registered.delete_version("fraud", "2")

    write(server, back, promoted())

    assert registered.aliases("fraud") == {}
