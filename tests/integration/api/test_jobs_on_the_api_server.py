"""Every Job of ours is one that a real API server takes as it is, read strictly."""

from typing import Any

import pytest
import yaml

from modelyard.core.desired.building import job
from modelyard.core.snapshot import ResolvedEntry
from tests.support.builders import settings
from tests.support.real_apiserver import RealApiServer
from tests.unit.core.test_checking import DIGEST, a_comparison, a_load_test

pytestmark = pytest.mark.integration
BUILD = job("digits", ResolvedEntry("digits", "1", DIGEST), DIGEST, "cpu", settings())


@pytest.mark.parametrize("wanted", [BUILD, a_load_test(), a_comparison()], ids=["build", "load test", "comparison"])
def test_a_job_is_taken_without_a_word(apiserver: RealApiServer, wanted: dict[str, Any]) -> None:
    assert apiserver.complaint(yaml.safe_dump(wanted)) == ""
