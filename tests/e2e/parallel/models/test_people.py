"""What people type: get, explain, entries, alias."""

import json

import pytest

from tests.support.cluster.kubectl import eventually, run
from tests.support.cluster.models import a_model, applied, until


@pytest.fixture
def digits(shared_namespace: str) -> str:
    """The namespace in which a Model serves version 1 and nothing else is wanted."""
    applied(a_model("digits", shared_namespace))
    until("digits", shared_namespace, "Reconciling", "False", "Done")
    return shared_namespace


def test_get_lists_models_with_version_traffic_and_url(digits: str) -> None:
    table = run("modelyard", "get", "-n", digits).stdout
    listed = json.loads(run("modelyard", "get", "-n", digits, "--output", "json").stdout)

    assert "digits" in table
    assert "100%" in table
    assert len(listed) == 1


def test_explain_says_that_all_is_well_or_what_to_do(digits: str) -> None:
    well = run("modelyard", "explain", "digits", "-n", digits)

    applied(a_model("digits", digits, version="99"))
    until("digits", digits, "Stalled", "True")
    ill = run("modelyard", "explain", "digits", "-n", digits, check=False)

    assert well.returncode == 0
    assert "99" in ill.stdout
    assert "name one, or push 99" in ill.stdout


def test_an_alias_is_followed_when_it_moves(namespace: str) -> None:
    name = f"best-{namespace}"
    run("modelyard", "alias", "set", "digits", name, "1")
    manifest = a_model("digits", namespace)
    manifest["spec"]["source"] = {"name": "digits", "alias": name}
    applied(manifest)
    until("digits", namespace, "Reconciling", "False", "Done")

    run("modelyard", "alias", "set", "digits", name, "2")

    eventually(
        lambda: until("digits", namespace, "Reconciling", "False", "Done")["status"]["version"] == "2",
        "version 2 serves",
    )


def test_pushing_a_version_again_is_fine() -> None:
    again = run("modelyard", "push", "model-repo/digits/1")

    assert again.returncode == 0
    assert "digits" in run("modelyard", "entries").stdout
