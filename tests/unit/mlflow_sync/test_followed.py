"""What the cluster's Models name of MLflow's."""

from typing import Any

from modelyard.mlflow_sync.followed import FollowedModels


def a_model(uid: str, **source: Any) -> dict[str, Any]:
    named = {"registry": "mlflow", "name": "fraud", **source}
    return {"metadata": {"namespace": "demo", "name": f"m-{uid}", "uid": uid}, "spec": {"source": named}}


def test_versions_are_wanted_by_the_name_of_their_entry() -> None:
    changes: list[None] = []
    followed = FollowedModels(lambda: changes.append(None))
    followed.listing()
    followed.take_in(None, a_model("1", alias="champion"))
    followed.take_in(None, a_model("2", version="3"))
    followed.take_in("ADDED", a_model("3", version="4"))
    followed.take_in("ADDED", a_model("4", registry="bucket", name="toy", version="1"))
    followed.take_in("ADDED", a_model("5", name="churn", alias="champion"))
    followed.take_in("MODIFIED", a_model("5", name="churn", alias="champion"))

    assert followed.wanted() == {"fraud": {"3", "4"}, "churn": set()}
    assert [model.name for model in followed.models()] == ["m-1", "m-2", "m-3", "m-5"]
    assert len(changes) == 4


def test_models_that_are_gone_or_name_another_registry_want_nothing() -> None:
    followed = FollowedModels()
    for uid in ("1", "2", "3"):
        followed.take_in(None, a_model(uid, version=uid))

    followed.take_in("DELETED", a_model("1", version="1"))
    followed.take_in("MODIFIED", a_model("2", registry="bucket", version="2"))
    followed.listed({"2"})

    assert followed.wanted() == {}


def test_a_model_of_a_later_version_is_left_out() -> None:
    followed = FollowedModels()
    followed.take_in("ADDED", a_model("1", version="1", registry="mlflow", unheard_of=True))

    followed.take_in("ADDED", {"metadata": {"uid": "9"}})

    assert followed.wanted() == {}
