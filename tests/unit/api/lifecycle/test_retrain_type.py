"""What `spec.retrain` means where it says nothing; what is refused is in the table of refusals."""

import pytest
import yaml

from modelyard.api.lifecycle.retrain import Retrain
from tests.support.objects.retrains import OWN, TOLD


def test_at_most_one_a_day_and_no_budget_where_nothing_is_written() -> None:
    plain = Retrain.model_validate(OWN)
    assert (plain.every_seconds, plain.budget_seconds, plain.max_age_seconds) == (86_400.0, None, None)
    assert plain.model_dump(by_alias=True, exclude_none=True) == {"when": ["decay"], "recipe": "retrain.py:retrain"}


def test_times_are_read() -> None:
    whole = Retrain.model_validate({**OWN, "when": ["age"], "maxAge": "90d", "every": "1h30m", "budget": "20h"})
    assert (whole.every_seconds, whole.budget_seconds) == (5400.0, 72_000.0)
    assert whole.max_age_seconds == pytest.approx(90 * 86_400)


def test_a_webhook_may_be_signed() -> None:
    told = {**TOLD["webhook"], "secretRef": {"name": "t", "key": "k"}}
    hook = Retrain.model_validate({**TOLD, "webhook": told}).webhook
    assert hook is not None
    assert hook.secret_ref is not None
    assert (hook.secret_ref.name, hook.secret_ref.key) == ("t", "k")


def test_no_field_has_a_name_that_yaml_takes_for_something_else() -> None:
    assert yaml.safe_load("on: [decay]") == {True: ["decay"]}, "why the field is called when"
    assert all(isinstance(yaml.safe_load(name), str) for name in Retrain.model_fields)
