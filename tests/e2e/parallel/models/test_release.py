"""The release proves itself: the doctor and `helm test` ask about the whole cluster."""

from tests.support.cluster.kubectl import run


def test_the_doctor_finds_a_healthy_cluster() -> None:
    told = run("modelyard", "doctor", check=False)

    assert told.returncode == 0, told.stdout + told.stderr


def test_the_release_proves_itself() -> None:
    told = run("helm", "test", "modelyard", "-n", "modelyard-system", "--timeout", "180s", seconds=240)

    assert "Succeeded" in told.stdout
