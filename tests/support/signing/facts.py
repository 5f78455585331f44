"""What a small world knows of signatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.api.model import Model
from modelyard.core.artifacts.signatures import SIGNED, must_be_signed
from modelyard.core.snapshot import Failure, StartCheck, Verification
from modelyard.settings import Settings

NOTHING_WRONG, CHECK = Verification(), StartCheck("check", ("key",))


@dataclass
class SigningFacts:
    """The facts of a snapshot: every entry is signed, and the builder's key is known."""

    verification: Verification = NOTHING_WRONG
    start_check: StartCheck | Failure = CHECK


def signed_options(model: Mapping[str, Any], settings: Settings) -> Mapping[str, Any]:
    """What the options of a Model's builds have more where they are to be signed."""
    return SIGNED if must_be_signed(Model.model_validate(model), settings) else {}
