"""How many random worlds are tried: a few by default, many with HYPOTHESIS_PROFILE=proof, the same ones in CI."""

import os

from hypothesis import HealthCheck, settings

_PATIENT = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("modest", max_examples=150, deadline=None, suppress_health_check=_PATIENT)
settings.register_profile("ci", parent=settings.get_profile("modest"), derandomize=True, print_blob=True)
settings.register_profile("proof", parent=settings.get_profile("modest"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "modest"))
