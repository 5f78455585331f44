"""The Jobs that examine a candidate: what they run, where, with which rights, and how they end."""

from pathlib import Path
from typing import Any

import pytest

from modelyard.api.status import RevisionStatus, Stage
from modelyard.core.kinds import BY_NAME
from modelyard.core.names import check_job_name, revision_name
from modelyard.core.resources.check_jobs import LOCUSTFILE, comparison, load_test, replay
from modelyard.settings import CheckSettings
from tests.support.worlds.builders import a_model, settings

ROOT = Path(__file__).resolve().parents[4]
DIGEST = "sha256:" + "ab" * 32


def revision(name: str = "digits-2222222222", slot: str = "b") -> RevisionStatus:
    values = {"name": name, "slot": slot, "digest": DIGEST, "version": "2", "runtime": "r", "stage_start_time": "now"}
    return RevisionStatus.model_validate({**values, "stage": Stage.STARTING})


def a_load_test(rate: float = 50.0, **spec: Any) -> dict[str, Any]:
    return load_test(a_model(**spec), revision(), rate, settings())


def a_comparison(**shadow: Any) -> dict[str, Any]:
    model = a_model(rollout={"strategy": "Shadow", "shadow": shadow})
    return comparison(model, revision("digits-1111111111", "a"), revision(), settings())


def command(job: dict[str, Any]) -> list[str]:
    return job["spec"]["template"]["spec"]["containers"][0]["command"]


def value(job: dict[str, Any], flag: str) -> str:
    """What follows a flag of the command."""
    words = command(job)
    return words[words.index(flag) + 1]


def test_a_load_test_pins_the_candidate_at_the_rate_and_for_the_time_asked() -> None:
    job = a_load_test(12.5, rollout={"strategy": "Canary", "loadTest": {"duration": "90s"}})

    assert command(job)[0] == "locust"
    assert value(job, "--host") == settings().gateway.url
    assert (value(job, "--model"), value(job, "--namespace")) == ("digits", "demo")
    assert (value(job, "--revision"), value(job, "--build")) == ("digits-2222222222", DIGEST)
    assert (value(job, "--rate"), value(job, "--duration")) == ("12.5", "90")
    assert "--publish" in command(job)


def test_what_the_model_promises_is_what_the_load_test_asks() -> None:
    latency = {"percentile": 95, "threshold": "100ms"}
    promising = a_load_test(slo={"errorRate": "0.1%", "latency": latency})
    silent = a_load_test()

    assert (value(promising, "--error-rate"), value(promising, "--latency")) == ("0.001", "0.1")
    assert value(promising, "--percentile") == "95"
    assert value(silent, "--error-rate") == "0.01"
    assert "--latency" not in command(silent)


def test_a_comparison_asks_both_revisions_within_the_tolerance_asked() -> None:
    job = a_comparison(samples=40, maxDisagreement="5%", tolerance={"absolute": 0.5, "relative": 0.25})

    assert command(job)[:3] == ["modelyard", "compare", "digits"]
    assert (value(job, "--stable"), value(job, "--candidate")) == ("digits-1111111111", "digits-2222222222")
    assert (value(job, "--samples"), value(job, "--max-disagreement")) == ("40", "0.05")
    assert (value(job, "--absolute"), value(job, "--relative")) == ("0.5", "0.25")
    assert "--publish" in command(job)


def test_the_defaults_of_a_comparison_are_those_of_the_spec() -> None:
    model = a_model(rollout={"strategy": "Shadow"})
    job = comparison(model, revision("digits-1111111111", "a"), revision(), settings())

    assert (value(job, "--samples"), value(job, "--max-disagreement")) == ("200", "0.01")


def a_replay(slo: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    recorded = {"sample": "auto", "log": {"columns": ["*"]}}
    model = a_model(rollout={"strategy": "Canary", "replay": options}, monitoring=recorded, slo=slo)
    return replay(model, revision("digits-1111111111", "a"), revision(), settings())


def test_a_replay_judges_failures_alone_unless_outputs_are_to_agree() -> None:
    failures, outputs = a_replay({"errorRate": "0.1%"}), a_replay(rows=50, maxDisagreement="5%")

    assert command(failures)[:3] == ["modelyard", "compare", "digits"]
    assert (value(failures, "--recorded"), value(failures, "--max-disagreement")) == ("1000", "0.001")
    assert "--failures-only" in command(failures)
    assert value(a_replay(), "--max-disagreement") == "0.01"
    assert (value(outputs, "--recorded"), value(outputs, "--max-disagreement")) == ("50", "0.05")
    assert "--failures-only" not in command(outputs)


@pytest.mark.parametrize(
    ("job", "gate"), [(a_load_test(), "loadTest"), (a_comparison(), "shadow"), (a_replay(), "replay")]
)
def test_a_check_is_found_by_gate_model_and_revision(job: dict[str, Any], gate: str) -> None:
    labels = job["metadata"]["labels"]

    assert job["metadata"]["name"] == check_job_name(gate, "demo", "digits", "digits-2222222222")
    assert job["metadata"]["namespace"] == "modelyard-system"
    assert labels["modelyard.dev/check"] == gate
    assert (labels["modelyard.dev/namespace"], labels["modelyard.dev/model"]) == ("demo", "digits")
    assert labels["modelyard.dev/revision"] == "digits-2222222222"
    assert BY_NAME["Job"].label == "app.kubernetes.io/managed-by=modelyard"
    assert labels["app.kubernetes.io/managed-by"] == "modelyard"


@pytest.mark.parametrize("job", [a_load_test(), a_comparison()])
def test_its_pods_are_not_taken_for_the_models_own(job: dict[str, Any]) -> None:
    assert "modelyard.dev/model" not in job["spec"]["template"]["metadata"]["labels"]
    assert "ownerReferences" not in job["metadata"]


@pytest.mark.parametrize("job", [a_load_test(), a_comparison()])
def test_a_check_is_restricted_and_shows_no_credentials(job: dict[str, Any]) -> None:
    pod = job["spec"]["template"]["spec"]
    [container] = pod["containers"]
    secrets = [
        variable["valueFrom"]["secretKeyRef"]["name"] for variable in container["env"] if "valueFrom" in variable
    ]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert set(secrets) == {"modelyard-store-writer"}


def test_resources_are_those_of_the_settings() -> None:
    chosen = settings(check=CheckSettings(cpu="2", memory="1Gi", memory_limit="2Gi"))
    job = load_test(a_model(), revision(), 1.0, chosen)
    [container] = job["spec"]["template"]["spec"]["containers"]

    assert container["resources"] == {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}


def test_a_candidate_that_did_not_pass_is_not_tried_again_and_anything_else_once() -> None:
    spec = a_load_test()["spec"]

    [rule] = spec["podFailurePolicy"]["rules"]
    assert rule == {"action": "FailJob", "onExitCodes": {"containerName": "check", "operator": "In", "values": [1]}}
    assert spec["backoffLimit"] == 1


@pytest.mark.parametrize(("duration", "least"), [("30s", 30), ("10m", 600)])
def test_the_deadline_leaves_time_for_the_whole_load(duration: str, least: int) -> None:
    job = a_load_test(rollout={"strategy": "Canary", "loadTest": {"duration": duration}})

    assert least < job["spec"]["activeDeadlineSeconds"] < least + 600


@pytest.mark.parametrize("samples", [1, 200, 10_000])
def test_a_comparison_ends_before_its_deadline(samples: int) -> None:
    job = a_comparison(samples=samples)

    assert float(value(job, "--seconds")) <= 900
    assert float(value(job, "--seconds")) + 60 <= job["spec"]["activeDeadlineSeconds"]


def test_names_are_short_and_differ_with_everything_they_stand_for() -> None:
    longest = revision_name("m" * 40, "d", digest=DIGEST, runtime="r", resources=None)
    names = {
        check_job_name("loadTest", "demo", "digits", longest),
        check_job_name("shadow", "demo", "digits", longest),
        check_job_name("loadTest", "other", "digits", longest),
        check_job_name("loadTest", "demo", "digit", longest),
        check_job_name("loadTest", "demo", "digits", "digits-1"),
    }

    assert len(names) == 5
    assert all(len(name) <= 63 and name == name.lower() for name in names)


def test_the_image_has_the_locustfile_where_the_job_looks_for_it() -> None:
    folder, name = Path(LOCUSTFILE).parent, Path(LOCUSTFILE).name

    assert f"COPY loadtests {folder}\n" in (ROOT / "platform" / "images" / "builder" / "Dockerfile").read_text()
    assert (ROOT / "loadtests" / name).is_file()
