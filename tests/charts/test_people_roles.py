"""The roles that the platform's chart adds to those of people who work in a namespace."""

from tests.support.repository.charts import PLATFORM, objects, one, template


def test_people_who_may_view_or_edit_a_namespace_may_do_so_with_its_models() -> None:
    found = objects(template(PLATFORM))
    view, edit = (one(found, "ClusterRole", f"modelyard-models-{role}") for role in ("view", "edit"))

    assert view["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    assert edit["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"
    assert {verb for rule in view["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert "models/scale" in edit["rules"][0]["resources"]
    assert "models/status" not in edit["rules"][0]["resources"]
    without = objects(template(PLATFORM, {"roles": {"aggregate": False}}))
    assert not [each for each in without if "modelyard-models" in each["metadata"]["name"]]
