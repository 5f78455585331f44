"""What people type: get, explain, entries, alias, doctor, and `helm test`."""

import json

from tests.support.kubectl import eventually, run
from tests.support.models import a_model, applied, until


def test_get_lists_models_with_version_traffic_and_url(namespace: str) -> None:
    applied(a_model("digits", namespace))
    until("digits", namespace, "Ready", "True")

    table = run("modelyard", "get", "-n", namespace).stdout
    listed = json.loads(run("modelyard", "get", "-n", namespace, "--output", "json").stdout)

    assert "digits" in table
    assert "100%" in table
    assert len(listed) == 1


def test_explain_says_that_all_is_well_or_what_to_do(namespace: str) -> None:
    applied(a_model("digits", namespace))
    until("digits", namespace, "Ready", "True")
    well = run("modelyard", "explain", "digits", "-n", namespace)

    applied(a_model("digits", namespace, version="99"))
    until("digits", namespace, "Stalled", "True")
    ill = run("modelyard", "explain", "digits", "-n", namespace, check=False)

    assert well.returncode == 0
    assert "99" in ill.stdout
    assert "name one, or push 99" in ill.stdout


def test_an_alias_is_followed_when_it_moves(namespace: str) -> None:
    name = f"best-{namespace}"
    run("modelyard", "alias", "set", "digits", name, "1")
    manifest = a_model("digits", namespace)
    manifest["spec"]["source"] = {"name": "digits", "alias": name}
    applied(manifest)
    until("digits", namespace, "Ready", "True")

    run("modelyard", "alias", "set", "digits", name, "2")

    eventually(
        lambda: until("digits", namespace, "Ready", "True")["status"]["version"] == "2", "version 2 serves", seconds=180
    )


def test_pushing_a_version_again_is_fine() -> None:
    again = run("modelyard", "push", "model-repo/digits/1")

    assert again.returncode == 0
    assert "digits" in run("modelyard", "entries").stdout


def test_the_doctor_finds_a_healthy_cluster() -> None:
    told = run("modelyard", "doctor", check=False)

    assert told.returncode == 0, told.stdout + told.stderr


def test_the_release_proves_itself() -> None:
    told = run("helm", "test", "modelyard", "-n", "modelyard-system", "--timeout", "180s", seconds=240)

    assert "Succeeded" in told.stdout
