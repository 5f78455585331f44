"""Every Job of ours is one that a real API server takes as it is, read strictly."""

from typing import Any

import pytest
import yaml

from modelyard.core.resources.build_jobs import job, optimize_job
from modelyard.core.snapshot import ResolvedEntry
from modelyard.settings import BuildSettings
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.worlds.builders import a_model, settings
from tests.unit.core.resources.test_check_jobs import DIGEST, a_comparison, a_load_test

pytestmark = pytest.mark.integration
ENTRY = ResolvedEntry("digits", "1", DIGEST)
JOBS = {
    "build": job("digits", ENTRY, DIGEST, "cpu", settings()),
    "optimization": optimize_job(a_model(optimize={}), ENTRY, DIGEST, "cpu", settings()),
    "optimization for a GPU": optimize_job(a_model(optimize={}), ENTRY, DIGEST, "gpu", settings()),
    "optimization that trains": optimize_job(
        a_model(optimize={"train": True}),
        ENTRY,
        DIGEST,
        "cpu",
        settings(build=BuildSettings(train_image="docker.io/modelyard/trainer:0.1.0")),
    ),
    "load test": a_load_test(),
    "comparison": a_comparison(),
}


@pytest.mark.parametrize("wanted", JOBS.values(), ids=JOBS.keys())
def test_a_job_is_taken_without_a_word(apiserver: RealApiServer, wanted: dict[str, Any]) -> None:
    assert apiserver.complaint(yaml.safe_dump(wanted)) == ""
